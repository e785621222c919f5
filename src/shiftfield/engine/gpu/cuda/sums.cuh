// Windowed sums along x, across the lanes of a warp: each holds COLUMNS neighbouring columns.
#pragma once
#include "common.cuh"

#define ALL_LANES 0xffffffffu

__device__ inline REAL from_right(REAL value, int lanes) { return __shfl_down_sync(ALL_LANES, value, lanes); }

// Sum of the totals of the `LENGTH` lanes to the right of this one, from sums of 1, 2, 4, ... of them.
template <int LENGTH>
__device__ inline REAL run_of_totals(REAL total) {
    REAL sum = 0;
    int done = 1;
#pragma unroll
    for (int size = 1; size <= LENGTH; size *= 2) {
        if (LENGTH & size) {
            sum += from_right(total, done);
            done += size;
        }
        if (2 * size <= LENGTH) total += from_right(total, size);
    }
    return sum;
}

// out[j] = sum of the columns j, j + 1, ..., j + WIDE - 1, counted from the lane's first.
__device__ inline void box(const REAL (&v)[COLUMNS], REAL (&out)[COLUMNS]) {
    REAL prefix[COLUMNS + 1], suffix[COLUMNS + 1];
    prefix[0] = suffix[COLUMNS] = 0;
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) prefix[i + 1] = prefix[i] + v[i];
#pragma unroll
    for (int i = COLUMNS - 1; i >= 0; --i) suffix[i] = suffix[i + 1] + v[i];
    // The last column of a window lies `near` or `near + 1` lanes to the right.
    constexpr int near = WIDE / COLUMNS;
    const REAL between = near > 1 ? run_of_totals<(near > 1 ? near - 1 : 1)>(prefix[COLUMNS]) : (REAL)0;
    const REAL more = near > 0 ? between + from_right(prefix[COLUMNS], near) : (REAL)0;
#pragma unroll
    for (int j = 0; j < COLUMNS; ++j) {
        const int end = j + WIDE, lanes = end / COLUMNS, rest = end % COLUMNS;
        if (lanes == 0) {  // the whole window is in this lane
            REAL sum = 0;
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i)
                if (i >= j && i < end) sum += v[i];
            out[j] = sum;
            continue;
        }
        REAL sum = suffix[j];
        if (near > 0) sum += lanes == near ? between : more;
        if (rest > 0) sum += from_right(prefix[rest], lanes);
        out[j] = sum;
    }
}

// out[j] = sum over i of wx[i] times column j + i.
__device__ inline void weighted(const REAL (&v)[COLUMNS], const REAL* wx, REAL (&out)[COLUMNS]) {
    constexpr int lanes = (WIDE + COLUMNS - 2) / COLUMNS;  // to the right, that a window reaches
    constexpr int unroll = WIDE <= 33 ? lanes + 1 : 1;
#pragma unroll
    for (int j = 0; j < COLUMNS; ++j) out[j] = 0;
#pragma unroll unroll
    for (int lane = 0; lane <= lanes; ++lane)
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) {
            const REAL value = lane ? from_right(v[i], lane) : v[i];
#pragma unroll
            for (int j = 0; j < COLUMNS; ++j) {
                const int n = lane * COLUMNS + i - j;
                if (n >= 0 && n < WIDE) out[j] += wx[n] * value;
            }
        }
}
