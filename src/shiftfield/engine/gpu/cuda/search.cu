// One block a tile: every warp tries a run of RUN shifts along x at a time, the warps of a block neighbouring
// runs, so that they read the same rows of the frames at about the same time.
//
// A lane holds COLUMNS columns; it walks down the rows of the tile with the windowed products of its columns
// in registers: plus the row that enters, minus the row that leaves. Sums along x go through the lanes. With
// weights the rows of products are kept in a ring instead, and weighed for each row of windows.
//
// `search_best` keeps the best shift of each pixel. `search_kept` runs again over those shifts that a pixel of
// the tile needs for its sub-pixel fit, and keeps their scores.
#include "sums.cuh"

#define NEAR (COLUMNS + RUN)  // columns of the reference that a lane's products read; one is not used

struct Shifts {
    int ny, nx, groups;  // shifts along y and x; runs along x
};

// The memory of one tile, from arrays of all.
struct Frames {
    const REAL *reference, *sample;
    int count, pitch;      // frames; columns from row to row of the reference
    i64 apart_r, apart_s;  // from frame to frame
};

// v += (or -=) sum over frames of reference times sample at row y and shift (dy, dx .. dx + RUN).
template <int SIGN>
__device__ inline void add_products(
    REAL (&v)[RUN][COLUMNS], const Frames& f, int y, int dy, int dx, int lane) {
    const REAL* r = f.reference + (i64)(y + dy) * f.pitch + lane * COLUMNS + dx;
    const REAL* s = f.sample + (i64)y * SPAN + lane * COLUMNS;
    for (int k = 0; k < f.count; ++k, r += f.apart_r, s += f.apart_s) {
        REAL near[NEAR], here[COLUMNS];
        load(near, r);
        load(here, s);
#pragma unroll
        for (int q = 0; q < RUN; ++q)
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) v[q][i] += SIGN * here[i] * near[i + q];
    }
}

#if RING
// The last `tall` rows of products of a warp: (tall, RUN, LANES, COLUMNS).
__device__ inline REAL* ring_row(REAL* ring, int slot, int q, int lane) {
    return ring + ((i64)(slot * RUN + q) * LANES + lane) * COLUMNS;
}

__device__ inline void keep_products(REAL* ring, const Frames& f, int y, int dy, int dx, int lane, int tall) {
    REAL row[RUN][COLUMNS] = {};
    add_products<1>(row, f, y, dy, dx, lane);
#pragma unroll
    for (int q = 0; q < RUN; ++q) store(ring_row(ring, y % tall, q, lane), row[q]);
}

__device__ inline void weigh_down(
    REAL (&v)[RUN][COLUMNS], REAL* ring, const REAL* wy, int row, int lane, int tall) {
#pragma unroll
    for (int q = 0; q < RUN; ++q)
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) v[q][i] = 0;
    for (int n = 0, slot = row % tall; n < tall; ++n, slot = slot + 1 == tall ? 0 : slot + 1) {
        const REAL weight = wy[n];
#pragma unroll
        for (int q = 0; q < RUN; ++q) {
            REAL products[COLUMNS];
            load(products, ring_row(ring, slot, q, lane));
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) v[q][i] += weight * products[i];
        }
    }
}
#endif

// The images of one tile: of the reference at a row of windows and shift dx, of the sample at the row.
struct Images {
    const REAL *reference, *sample;
    i64 plane_r, plane_s;
};

// What the loops compare, of four columns and RUN shifts (the formulas are those of engine.kernels.scores);
// with the sign of the covariance for umpa_dark when `keep`, which the dark field needs besides.
template <int KEEP>
__device__ inline void score_four(
    const REAL (&sums)[RUN][COLUMNS], int first, const Images& images, REAL (&score)[RUN][4]) {
    REAL mean_r[4 + RUN], f[4 + RUN], mean_s[4];
    load(mean_r, images.reference + first);
    load(f, images.reference + images.plane_r + first);
    load(mean_s, images.sample + first);
#if METHOD == UMPA
    REAL mean_g[4 + RUN], variance_g[4 + RUN], twice[4], squared[4];
    load(mean_g, images.reference + 2 * images.plane_r + first);
    load(variance_g, images.reference + 3 * images.plane_r + first);
    load(twice, images.sample + images.plane_s + first);
    load(squared, images.sample + 2 * images.plane_s + first);
#endif
#pragma unroll
    for (int q = 0; q < RUN; ++q)
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const REAL c = sums[q][first + i] - mean_r[i + q] * mean_s[i];
#if METHOD == PEARSON
            score[q][i] = c * f[i + q];
#elif METHOD == UMPA_DARK
            const REAL s = c * c * f[i + q];
            score[q][i] = KEEP && !(c > 0) ? -s : s;
#else
            score[q][i] = c * (c * f[i + q] + twice[i] * mean_g[i + q]) - squared[i] * variance_g[i + q];
#endif
        }
}

// A shift as one number, in the order in which the first of equal scores wins.
__device__ inline int packed(int dy, int dx) { return dy << 16 | dx; }

// The best of a pixel's scores so far, `better` for one that is higher, or equal and earlier.
__device__ inline bool better(REAL score, int shift, REAL best, int index) {
    return score > best || (score == best && index >= 0 && shift < index);
}

// Best and index of four neighbouring pixels, in shared or global memory.
struct alignas(16) Four {
    int v[4];
};

__device__ inline void read_four(const REAL* best, const int* index, REAL (&b)[4], int (&i)[4]) {
    load(b, best);
    const Four four = *reinterpret_cast<const Four*>(index);
#pragma unroll
    for (int n = 0; n < 4; ++n) i[n] = four.v[n];
}

__device__ inline void write_four(REAL* best, int* index, const REAL (&b)[4], const int (&i)[4]) {
    store(best, b);
    Four four;
#pragma unroll
    for (int n = 0; n < 4; ++n) four.v[n] = i[n];
    *reinterpret_cast<Four*>(index) = four;
}

// What one warp found in a row, kept where the others see it: (2 turns, warps, SPAN).
__device__ inline void row_best(
    const REAL (&sums)[RUN][COLUMNS], bool active, const Images& images, int dy, int dx, int nx, int column,
    REAL* best, int* index) {
#pragma unroll
    for (int first = 0; first < COLUMNS; first += 4) {
        REAL b[4];
        int which[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) b[i] = -INFINITY, which[i] = -1;
        if (active) {
            REAL score[RUN][4];
            score_four<0>(sums, first, images, score);
#pragma unroll
            for (int q = 0; q < RUN; ++q)
#pragma unroll
                for (int i = 0; i < 4; ++i)
                    if (dx + q < nx && score[q][i] > b[i]) b[i] = score[q][i], which[i] = packed(dy, dx + q);
        }
        write_four(best + column + first, index + column + first, b, which);
    }
}

// Let one warp compare what all found in a row with the best before.
__device__ inline void merge_row(
    const REAL* found, const int* found_index, int warps, int column, REAL* best, int* index) {
#pragma unroll
    for (int first = 0; first < COLUMNS; first += 4) {
        const int at = column + first;
        REAL b[4], other[4];
        int which[4], other_index[4];
        read_four(best + at, index + at, b, which);
        for (int n = 0; n < warps; ++n) {
            read_four(found + n * SPAN + at, found_index + n * SPAN + at, other, other_index);
#pragma unroll
            for (int i = 0; i < 4; ++i)
                if (better(other[i], other_index[i], b[i], which[i])) b[i] = other[i], which[i] = other_index[i];
        }
        write_four(best + at, index + at, b, which);
    }
}

// Scores of a row that are within the neighbourhood of a pixel's best shift, into (cy * cx, pixels).
__device__ inline void keep_row(
    const REAL (&sums)[RUN][COLUMNS], const Images& images, int dy, int dx, const Shifts& shifts, int cy, int cx,
    const int* index, REAL* around, i64 pixels) {
#pragma unroll
    for (int first = 0; first < COLUMNS; first += 4) {
        REAL score[RUN][4];
        score_four<1>(sums, first, images, score);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int best = index[first + i];
            if (best < 0) continue;
            const int top = min(max((best >> 16) - cy / 2, 0), shifts.ny - cy);
            const int left = min(max((best & 0xffff) - cx / 2, 0), shifts.nx - cx);
            if (dy < top || dy >= top + cy) continue;
#pragma unroll
            for (int q = 0; q < RUN; ++q)
                if (dx + q >= left && dx + q < left + cx)
                    around[((dy - top) * cx + dx + q - left) * pixels + first + i] = score[q][i];
        }
    }
}

// Arguments of both searches. Arrays hold all tiles: reference (tiles, count, rows_r, pitch), sample
// (tiles, count, rows_s, SPAN), images of the reference (tiles, IMAGES_R, places, pitch) and of the sample
// (tiles, IMAGES_S, rows, SPAN), best and index (tiles, rows, SPAN), around (tiles, cy * cx, rows, SPAN).
// Tiles whose `lossy` is not `wanted` are left alone. Rows whose number, counted from `top`, is no multiple
// of step are skipped.
#define ARGUMENTS                                                                                              \
    const Tile *tiles, const u8 *lossy, int wanted, int top, int step, const REAL *reference, int rows_r,      \
        int pitch, const REAL *sample, int rows_s, int count, const REAL *images_r, int places,                \
        const REAL *images_s, int rows, const REAL *wy, const REAL *wx, int tall, int ny, int nx, REAL *ring,  \
        REAL *best, int *index

#define NAMES                                                                                                \
    tiles, lossy, wanted, top, step, reference, rows_r, pitch, sample, rows_s, count, images_r, places,      \
        images_s, rows, wy, wx, tall, ny, nx, ring, best, index

template <int KEEP>
__device__ inline void search(
    ARGUMENTS, int todo_size, const int* todo, int cy, int cx, REAL* around) {
    SHARED(Pack, memory);
    const int block = blockIdx.x, warps = blockDim.x / LANES;
    const int warp = threadIdx.x / LANES, lane = threadIdx.x % LANES, column = lane * COLUMNS;
    if (lossy[block] != wanted) return;
    const Tile tile = tiles[block];
    const Shifts shifts = {ny, nx, (nx + RUN - 1) / RUN};
    const i64 pixels = (i64)rows * SPAN;
    Frames frames = {
        reference + (i64)block * count * rows_r * pitch, sample + (i64)block * count * rows_s * SPAN,
        count, pitch, (i64)rows_r * pitch, (i64)rows_s * SPAN};
    images_r += (i64)block * IMAGES_R * places * pitch;
    images_s += (i64)block * IMAGES_S * pixels;
    best += block * pixels;
    index += block * pixels;
    REAL* found = reinterpret_cast<REAL*>(memory);
    int* found_index = reinterpret_cast<int*>(found + 2 * warps * SPAN);
#if RING == 1
    ring = KEEP ? found : reinterpret_cast<REAL*>(found_index + 2 * warps * SPAN);
    ring += (i64)warp * tall * RUN * SPAN;
#elif RING == 2
    ring += ((i64)block * warps + warp) * tall * RUN * SPAN;
#endif
    if (KEEP) {
        todo += (i64)block * (todo_size + 1);
        around += block * cy * cx * pixels;
    } else {
        for (int i = threadIdx.x; i < pixels; i += blockDim.x) best[i] = -INFINITY, index[i] = -1;
        __syncthreads();
    }
    const int runs = KEEP ? todo[todo_size] : shifts.ny * shifts.groups;
    int turn = 0;
    for (int done = 0; done < runs; done += warps) {
        const bool active = done + warp < runs;
        const int run = !active ? 0 : KEEP ? todo[done + warp] : done + warp;
        const int dy = run / shifts.groups, dx = run % shifts.groups * RUN;
        REAL v[RUN][COLUMNS] = {};
        for (int y = 0; y < tile.height + tall - 1; ++y) {
            const int row = y - tall + 1;
            const bool score = row >= 0 && (top + tile.y + row) % step == 0;
            REAL sums[RUN][COLUMNS];
            if (active) {
#if RING
                keep_products(ring, frames, y, dy, dx, lane, tall);
                if (score) weigh_down(v, ring, wy, row, lane, tall);
#else
                add_products<1>(v, frames, y, dy, dx, lane);
                if (y >= tall) add_products<-1>(v, frames, y - tall, dy, dx, lane);
#endif
                if (score) {
#pragma unroll
                    for (int q = 0; q < RUN; ++q) {
#if RING
                        weighted(v[q], wx, sums[q]);
#else
                        box(v[q], sums[q]);
#endif
                    }
                }
            }
            if (!score) continue;
            const Images images = {
                images_r + (i64)(row + dy) * pitch + column + dx, images_s + (i64)row * SPAN + column,
                (i64)places * pitch, pixels};
            if (KEEP) {
                const i64 at = (i64)row * SPAN + column;
                if (active) keep_row(sums, images, dy, dx, shifts, cy, cx, index + at, around + at, pixels);
                continue;
            }
            const int mine = (turn * warps + warp) * SPAN, all = turn * warps * SPAN;
            row_best(sums, active, images, dy, dx, nx, column, found + mine, found_index + mine);
            __syncthreads();
            if (row % warps == warp)
                merge_row(found + all, found_index + all, warps, column, best + (i64)row * SPAN, index + (i64)row * SPAN);
            turn = 1 - turn;
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) search_best(ARGUMENTS) {
    search<0>(NAMES, 0, nullptr, 0, 0, nullptr);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) search_kept(
    ARGUMENTS, int todo_size, const int* todo, int cy, int cx, REAL* around) {
    search<1>(NAMES, todo_size, todo, cy, cx, around);
}

// Which runs of shifts a tile needs for the fits of its pixels: todo (tiles, size + 1), their number last.
// One block a tile; shared memory: a bit for each run.
extern "C" __global__ void runs_to_keep(
    const Tile* tiles, const u8* lossy, int wanted, int top, int step, int rows, int ny, int nx, const int* index,
    int cy, int cx, int size, int* todo) {
    SHARED(unsigned, bits);
    if (lossy[blockIdx.x] != wanted) return;
    const Tile tile = tiles[blockIdx.x];
    const int groups = (nx + RUN - 1) / RUN, words = (size + 31) / 32;
    index += (i64)blockIdx.x * rows * SPAN;
    todo += (i64)blockIdx.x * (size + 1);
    for (int i = threadIdx.x; i < words; i += blockDim.x) bits[i] = 0;
    __syncthreads();
    for (int i = threadIdx.x; i < tile.height * SPAN; i += blockDim.x) {
        const int y = i / SPAN, x = i % SPAN, best = index[i];
        if (x >= tile.width || (top + tile.y + y) % step || best < 0) continue;
        const int first_y = min(max((best >> 16) - cy / 2, 0), ny - cy);
        const int first_x = min(max((best & 0xffff) - cx / 2, 0), nx - cx);
        for (int dy = first_y; dy < first_y + cy; ++dy)
            for (int g = first_x / RUN; g <= (first_x + cx - 1) / RUN; ++g) {
                const int run = dy * groups + g;
                atomicOr(&bits[run / 32], 1u << run % 32);
            }
    }
    __syncthreads();
    if (threadIdx.x) return;
    int count = 0;
    for (int run = 0; run < size; ++run)
        if (bits[run / 32] >> run % 32 & 1) todo[count++] = run;
    todo[size] = count;
}
