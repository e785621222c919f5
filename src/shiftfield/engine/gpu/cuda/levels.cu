// The level and the scale of a tile's pixels: what is taken off them, and what the rest is multiplied by.
//
// Some thousand pixels tell. One hot pixel must not move the level, so those far from the mean are left out; and
// where the texture is far finer than the pixels' spread (a detector's gap, a bright half, a steep ramp), the
// level lies amid the finest texture.
#include "common.cuh"

#define PROBES 16    // of each thread
#define FINE 0.05    // of the pixels' distance from their level: texture that is drowned by something else
#define BITS 40      // of a quantile: sign, exponent and 28 of its digits

// Sum over the block, the same in every thread.
__device__ inline double sum_of_block(double value, double* shared) {
    __syncthreads();
    shared[threadIdx.x] = value;
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if ((int)threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    return shared[0];
}

// The same order as of the numbers, for unsigned integers; a NaN is greater than all numbers.
__device__ inline u64 key(double value) {
    if (isnan(value)) return ~0ull;
    const u64 bits = (u64)__double_as_longlong(value);
    return bits >> 63 ? ~bits : bits | 1ull << 63;
}

__device__ inline double value_of(u64 key) {
    return __longlong_as_double((i64)(key >> 63 ? key & ~(1ull << 63) : ~key));
}

// Of how many values of all threads something holds; the counter is 0 before, and used once.
template <class Condition>
__device__ inline int count_of_block(int* counter, Condition holds) {
    int mine = 0;
    for (int i = 0; i < PROBES; ++i) mine += holds(i);
    if (mine) atomicAdd(counter, mine);
    __syncthreads();
    return *counter;
}

// The value that one of `share` of the values lies below, to BITS bits; those that are NaN are left out. NaN
// when all are.
__device__ inline double quantile(const double (&values)[PROBES], int share, int* counters) {
    __syncthreads();
    for (int i = threadIdx.x; i <= BITS; i += blockDim.x) counters[i] = 0;
    __syncthreads();
    const int size = count_of_block(counters + BITS, [&](int i) { return !isnan(values[i]); });
    u64 low = 0;  // the greatest key that no more than size / share values lie below
    for (int bit = 0; bit < BITS; ++bit) {
        const u64 middle = low | 1ull << (63 - bit);
        if (count_of_block(counters + bit, [&](int i) { return key(values[i]) < middle; }) <= size / share)
            low = middle;
    }
    return size ? value_of(low) : NAN;
}

// Mean of the probes within `reach` of `centre`.
__device__ inline double mean_near(
    const double (&probe)[PROBES], double centre, double reach, double* shared) {
    double sum = 0, count = 0;
    for (int i = 0; i < PROBES; ++i)
        if (fabs(probe[i] - centre) <= reach) {  // never for a NaN
            sum += probe[i];
            count += 1;
        }
    sum = sum_of_block(sum, shared);
    count = sum_of_block(count, shared);
    return count > 0 ? sum / count : 0.0;
}

// Mean of |probe - level| of the probes within `reach` of `centre`.
__device__ inline double distance_near(
    const double (&probe)[PROBES], double centre, double reach, double level, double* shared) {
    double sum = 0, count = 0;
    for (int i = 0; i < PROBES; ++i)
        if (fabs(probe[i] - centre) <= reach) {
            sum += fabs(probe[i] - level);
            count += 1;
        }
    sum = sum_of_block(sum, shared);
    count = sum_of_block(count, shared);
    return count > 0 ? sum / count : 0.0;
}

// Least distance from the level of a pixel that differs from it, over the whole tile; 1 when all are equal.
__device__ inline double nearest_other(
    const PIXEL* frames, i64 pixels, int width, i64 per_frame, i64 frame, i64 row, i64 column,
    double level, double* shared) {
    double least = INFINITY;
    for (i64 i = threadIdx.x; i < pixels; i += blockDim.x) {
        const i64 k = i / per_frame, rest = i % per_frame;
        const double away = fabs((double)frames[k * frame + rest / width * row + rest % width * column] - level);
        if (away > 0 && away < least) least = away;
    }
    __syncthreads();
    shared[threadIdx.x] = least;
    __syncthreads();
    for (int i = 0; i < (int)blockDim.x; ++i) least = fmin(least, shared[i]);
    return isfinite(least) ? least : 1.0;
}

// One block a tile, a power of 2 threads. `frames` begins at the tile grid's first pixel; frame, row and
// column are the ways between neighbours, in pixels; tall and wide what a tile has beyond its outputs.
extern "C" __global__ void levels(
    const PIXEL* frames, int count, i64 frame, i64 row, i64 column, const Tile* tiles, int tall, int wide,
    Side* sides) {
    SHARED(double, shared);
    const Tile tile = tiles[blockIdx.x];
    const int height = tile.height + tall, width = tile.width + wide;
    frames += tile.y * row + tile.x * column;
    const i64 per_frame = (i64)height * width, pixels = per_frame * count;
    const i64 probes = (i64)blockDim.x * PROBES;
    double probe[PROBES], fine[PROBES];
    for (int i = 0; i < PROBES; ++i) {
        const i64 n = (i64)i * blockDim.x + threadIdx.x;
        const i64 at = pixels < probes ? n : (i64)((double)n / (double)probes * (double)pixels);
        probe[i] = fine[i] = NAN;
        if (at < pixels) {
            const i64 k = at / per_frame, rest = at % per_frame, x = rest % width;
            const PIXEL* here = frames + k * frame + rest / width * row + x * column;
            probe[i] = (double)here[0];
            if (!isfinite(probe[i])) probe[i] = NAN;
            if (x > 0 && x < width - 1) fine[i] = fabs((double)here[-column] + (double)here[column] - 2 * probe[i]);
        }
    }
    const double mean = mean_near(probe, 0.0, INFINITY, shared);
    const double away = distance_near(probe, mean, INFINITY, mean, shared);
    double level = mean_near(probe, mean, 3 * away, shared);
    double distance = distance_near(probe, mean, 3 * away, level, shared);
    for (int i = 0; i < PROBES; ++i)  // of what is more than the rounding of the pixels
        if (!(fine[i] > 1e-14 * fabs(level) && fine[i] < INFINITY)) fine[i] = NAN;
    int* counters = reinterpret_cast<int*>(shared);
    double texture = quantile(fine, 2, counters);
    if (texture < FINE * distance) {
        const double finest = quantile(fine, 16, counters);
        for (int i = 0; i < PROBES; ++i)
            if (!(fine[i] <= finest * (1 + 1e-6))) probe[i] = NAN;
        level = quantile(probe, 2, counters);
        for (int i = 0; i < PROBES; ++i) probe[i] = fabs(probe[i] - level);
        distance = quantile(probe, 2, counters);
        if (distance == 0) distance = texture;
    }
    if (distance == 0)
        distance = nearest_other(frames, pixels, width, per_frame, frame, row, column, level, shared);
    if (threadIdx.x == 0) {
        double scale = 1 / distance;
        if (!(scale > 0 && scale < INFINITY)) scale = 1.0;
        Side side = {level, scale, isnan(texture) ? INFINITY : texture * scale, 0, 0, ~0ull, 0};
        sides[blockIdx.x] = side;
    }
}
