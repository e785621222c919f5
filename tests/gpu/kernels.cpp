// All kernels of one variant, callable by name: `shared` bytes, grid and block as CUDA takes them.
#include "emulate.hpp"

#include "levels.cu"
#include "prepare.cu"
#include "search.cu"
#include "peaks.cu"

#define KERNEL(name)                                                                                 \
    extern "C" void launch_##name(void** args, int gx, int gy, int threads, std::size_t shared) {    \
        emulate::launch([](void** a) { emulate::unpack<name>(name, a); }, args, gx, gy, threads, shared); \
    }

KERNEL(levels)
KERNEL(scale_frames)
KERNEL(windows)
KERNEL(too_little_for_float)
KERNEL(search_best)
KERNEL(runs_to_keep)
KERNEL(search_kept)
KERNEL(locate_peaks)
