// The level and the scale of a tile's pixels: what is taken off them, and what the rest is multiplied by.
//
// Some thousand pixels tell; one hot pixel must not move the level, so those far from the mean are left out.
#include "common.cuh"

#define PROBES 16  // of each thread

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

// Mean of the probes within `reach` of `centre`; `distance` for the mean of |probe - centre| instead.
__device__ inline double mean_near(
    const double (&probe)[PROBES], double centre, double reach, bool distance, double* shared) {
    double sum = 0, count = 0;
    for (int i = 0; i < PROBES; ++i) {
        const double away = fabs(probe[i] - centre);
        if (away <= reach) {  // never for a NaN
            sum += distance ? away : probe[i];
            count += 1;
        }
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
    double probe[PROBES];
    for (int i = 0; i < PROBES; ++i) {
        const i64 n = (i64)i * blockDim.x + threadIdx.x;
        const i64 at = pixels < probes ? n : (i64)((double)n / (double)probes * (double)pixels);
        probe[i] = NAN;
        if (at < pixels) {
            const i64 k = at / per_frame, rest = at % per_frame;
            probe[i] = (double)frames[k * frame + rest / width * row + rest % width * column];
            if (!isfinite(probe[i])) probe[i] = NAN;
        }
    }
    const double mean = mean_near(probe, 0.0, INFINITY, false, shared);
    const double away = mean_near(probe, mean, INFINITY, true, shared);
    const double level = mean_near(probe, mean, 3 * away, false, shared);
    double distance = 0;
    {
        double sum = 0, near = 0;
        for (int i = 0; i < PROBES; ++i)
            if (fabs(probe[i] - mean) <= 3 * away) {
                sum += fabs(probe[i] - level);
                near += 1;
            }
        sum = sum_of_block(sum, shared);
        near = sum_of_block(near, shared);
        distance = near > 0 ? sum / near : 0.0;
    }
    if (distance == 0)
        distance = nearest_other(frames, pixels, width, per_frame, frame, row, column, level, shared);
    if (threadIdx.x == 0) {
        const double scale = 1 / distance;
        Side side = {level, scale > 0 && scale < INFINITY ? scale : 1.0, 0, 0, ~0ull, 0};
        sides[blockIdx.x] = side;
    }
}
