// Runs unmodified CUDA kernels on the CPU, one thread of the device after another, each with a stack of its own.
//
// A thread runs until it must wait for others (a barrier of its block, or a shuffle of its warp), then the next
// one runs. When all wait and nothing moves, a barrier was not reached by all of them: that is reported.
// Under ThreadSanitizer each is a thread of its own to the sanitizer, ordered by barriers alone, so a barrier
// that is missing is a race. Blocks run one after another.
#pragma once
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <ucontext.h>
#include <utility>
#include <vector>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__SANITIZE_THREAD__)
#define UNCHECKED __attribute__((no_sanitize("thread")))
#else
#define UNCHECKED
#endif

#define __global__
#define __device__
#define __launch_bounds__(...)
#define __shared__
#define __restrict__

using std::fabs;
using std::isfinite;
using std::isnan;
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }

struct Index {
    int x, y, z;
};
static Index blockIdx, blockDim, gridDim;

namespace emulate {

constexpr int LANES_OF_WARP = 32;
constexpr std::size_t STACK = 256 * 1024;

struct Thread {
    ucontext_t context;
    Index index;
    char* stack = nullptr;
    bool ended = false;
    int waiting = 0;  // 0 runs, 1 for its block, 2 for its warp
    unsigned shuffles = 0;
    void* fake_stack = nullptr;
    void* fiber = nullptr;
};

struct Warp {
    int arrived = 0;
    double slot[2][LANES_OF_WARP];
};

static std::vector<Thread> threads;
static std::vector<Warp> warps;
static int current = -1, alive = 0, arrived = 0;
static ucontext_t scheduler;
static void* scheduler_fake_stack = nullptr;
static void* scheduler_fiber = nullptr;
static const void* scheduler_stack = nullptr;
static std::size_t scheduler_size = 0;
static void (*body)(void**);
static void** arguments;
static char barrier_of_block;
static bool moved = false;

[[noreturn]] inline void fail(const char* what) {
    std::fprintf(stderr, "emulate: %s\n", what);
    std::fflush(stderr);
    std::abort();
}

UNCHECKED inline void to_scheduler(bool last) {
    Thread& me = threads[current];
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(last ? nullptr : &me.fake_stack, scheduler_stack, scheduler_size);
#endif
#if defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(scheduler_fiber, __tsan_switch_to_fiber_no_sync);
#endif
    if (last) setcontext(&scheduler);
    swapcontext(&me.context, &scheduler);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(me.fake_stack, &scheduler_stack, &scheduler_size);
#endif
}

UNCHECKED inline void to_thread(int n) {
    current = n;
    Thread& thread = threads[n];
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&scheduler_fake_stack, thread.stack, STACK);
#endif
#if defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(thread.fiber, __tsan_switch_to_fiber_no_sync);
#endif
    swapcontext(&scheduler, &thread.context);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(scheduler_fake_stack, nullptr, nullptr);
#endif
    current = -1;
}

inline void released_by(void* what) {
#if defined(__SANITIZE_THREAD__)
    __tsan_release(what);
#else
    (void)what;
#endif
}

inline void acquired_by(void* what) {
#if defined(__SANITIZE_THREAD__)
    __tsan_acquire(what);
#else
    (void)what;
#endif
}

UNCHECKED inline void wait_for_block() {
    released_by(&barrier_of_block);
    threads[current].waiting = 1;
    ++arrived;
    moved = true;
    to_scheduler(false);
    acquired_by(&barrier_of_block);
}

UNCHECKED inline void wait_for_warp(Warp& warp) {
    threads[current].waiting = 2;
    ++warp.arrived;
    moved = true;
    to_scheduler(false);
}

UNCHECKED inline void run_block(int size) {
    arrived = 0;
    alive = size;
    while (alive) {
        moved = false;
        for (int first = 0; first < size; first += LANES_OF_WARP) {
            Warp& warp = warps[first / LANES_OF_WARP];
            const int last = min(first + LANES_OF_WARP, size);
            for (bool again = true; again;) {  // a warp goes on as long as it can
                again = false;
                for (int n = first; n < last; ++n)
                    if (!threads[n].ended && !threads[n].waiting) to_thread(n);
                if (warp.arrived == last - first) {
                    warp.arrived = 0;
                    for (int n = first; n < last; ++n) threads[n].waiting = 0;
                    again = true;
                }
            }
        }
        if (alive && arrived == alive) {
            arrived = 0;
            for (int n = 0; n < size; ++n)
                if (threads[n].waiting == 1) threads[n].waiting = 0;
            moved = true;
        }
        if (alive && !moved) fail("a barrier or a shuffle was not reached by all threads");
    }
}

UNCHECKED inline Index thread_index() { return threads[current].index; }

UNCHECKED inline void start() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack, &scheduler_size);
#endif
    acquired_by(&scheduler);
    body(arguments);
    released_by(&scheduler);
    threads[current].ended = true;
    --alive;
    moved = true;
    to_scheduler(true);
}

inline void* shared_memory(std::size_t size) {
    static void* memory = nullptr;
    if (size) {
        std::free(memory);
        memory = std::aligned_alloc(64, (size + 63) / 64 * 64);
        std::memset(memory, 0xff, size);  // NaN: whoever reads before writing shall see it
    }
    return memory;
}

UNCHECKED inline void launch(
    void (*kernel)(void**), void** args, int gx, int gy, int size, std::size_t shared) {
    body = kernel;
    arguments = args;
    gridDim = {gx, gy, 1};
    blockDim = {size, 1, 1};
    threads.resize(size);
    warps.assign((size + LANES_OF_WARP - 1) / LANES_OF_WARP, Warp());
#if defined(__SANITIZE_THREAD__)
    scheduler_fiber = __tsan_get_current_fiber();
#endif
    for (int n = 0; n < size; ++n) {
        threads[n].stack = static_cast<char*>(std::malloc(STACK));
#if defined(__SANITIZE_THREAD__)
        threads[n].fiber = __tsan_create_fiber(0);
#endif
    }
    for (int y = 0; y < gy; ++y)
        for (int x = 0; x < gx; ++x) {
            blockIdx = {x, y, 0};
            shared_memory(shared ? shared : 1);
            for (int n = 0; n < size; ++n) {
                Thread& thread = threads[n];
                thread.index = {n, 0, 0};
                thread.ended = false;
                thread.waiting = 0;
                thread.shuffles = 0;
                getcontext(&thread.context);
                thread.context.uc_stack.ss_sp = thread.stack;
                thread.context.uc_stack.ss_size = STACK;
                thread.context.uc_link = nullptr;
                makecontext(&thread.context, start, 0);
            }
            released_by(&scheduler);
            run_block(size);
            acquired_by(&scheduler);
        }
    for (int n = 0; n < size; ++n) {
        std::free(threads[n].stack);
#if defined(__SANITIZE_THREAD__)
        __tsan_destroy_fiber(threads[n].fiber);
#endif
    }
    threads.clear();
}

template <class... A, std::size_t... I>
void call(void (*kernel)(A...), void** args, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_const_t<A>*>(args[I])...);
}

template <auto kernel, class... A>
void unpack(void (*)(A...), void** args) {
    call(kernel, args, std::index_sequence_for<A...>());
}

}  // namespace emulate

#define threadIdx (emulate::thread_index())
#define SHARED(type, name) type* name = static_cast<type*>(emulate::shared_memory(0))
#define __syncthreads() emulate::wait_for_block()

template <class T>
UNCHECKED T __shfl_down_sync(unsigned, T value, int lanes) {
    using namespace emulate;
    const int thread = current, lane = thread % LANES_OF_WARP;
    Warp& warp = warps[thread / LANES_OF_WARP];
    double* slot = warp.slot[threads[thread].shuffles++ % 2];
    slot[lane] = value;
    wait_for_warp(warp);
    return static_cast<T>(slot[lane + lanes < LANES_OF_WARP ? lane + lanes : lane]);
}

template <class T, class V>
T atomicMax(T* at, V value) {
#if defined(__SANITIZE_THREAD__)
    T old = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (T(value) > old && !__atomic_compare_exchange_n(at, &old, T(value), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
#else
    const T old = *at;
    if (T(value) > old) *at = value;
#endif
    return old;
}

template <class T, class V>
T atomicMin(T* at, V value) {
#if defined(__SANITIZE_THREAD__)
    T old = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (T(value) < old && !__atomic_compare_exchange_n(at, &old, T(value), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
#else
    const T old = *at;
    if (T(value) < old) *at = value;
#endif
    return old;
}

template <class T, class V>
T atomicOr(T* at, V value) {
    return __atomic_fetch_or(at, T(value), __ATOMIC_RELAXED);
}

template <class T, class V>
T atomicAdd(T* at, V value) {
    return __atomic_fetch_add(at, T(value), __ATOMIC_RELAXED);
}

inline long long __double_as_longlong(double value) {
    long long bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline double __longlong_as_double(long long bits) {
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
