// What a tile needs before the shifts are tried: scaled frames, and of each window its mean, its variance,
// whether it has texture, and the images that the scores read. All in double until it is written.
#include "common.cuh"

#define HUGE_SQUARE 1e100  // times the scale: what lies further from the level is no number

// Mean and mean square over frames of each pixel (2, rows, pitch), and the scaled frames (count, rows, pitch),
// 0 where not finite or beyond the tile. One block a row of a tile: grid (tiles, rows).
extern "C" __global__ void scale_frames(
    const PIXEL* frames, int count, i64 frame, i64 row, i64 column, const Tile* tiles, int tall, int wide,
    double factor, int rows, int pitch, Side* sides, REAL* scaled, double* total, u8* strange) {
    const Tile tile = tiles[blockIdx.x];
    const int y = blockIdx.y, height = tile.height + tall, width = tile.width + wide;
    const double level = sides[blockIdx.x].level, scale = sides[blockIdx.x].scale;
    frames += (tile.y + y) * row + tile.x * column;
    const i64 plane = (i64)rows * pitch, at = blockIdx.x * plane + (i64)y * pitch;
    double greatest = 0;
    bool any = false;
    for (int x = threadIdx.x; x < pitch; x += blockDim.x) {
        const bool inside = y < height && x < width;
        REAL* to = scaled + blockIdx.x * plane * count + (i64)y * pitch + x;
        double first = 0, second = 0;
        bool odd = false;
        for (int k = 0; k < count; ++k) {
            double v = 0;
            if (inside) {
                v = ((double)frames[k * frame + x * column] - level) * scale;
                if (!(v * v < HUGE_SQUARE)) {
                    v = 0;
                    odd = true;
                }
            }
            to[k * plane] = (REAL)(v * factor);
            first += v;
            second += v * v;
        }
        total[2 * blockIdx.x * plane + (i64)y * pitch + x] = first / count;
        total[(2 * blockIdx.x + 1) * plane + (i64)y * pitch + x] = second / count;
        strange[at + x] = odd;
        any = any || odd;
        greatest = fmax(greatest, second / count);
    }
    if (any) atomicMax(&sides[blockIdx.x].strange, 1ull);
    atomicMax(&sides[blockIdx.x].greatest, (u64)__double_as_longlong(greatest));
}

// Whether all raw pixels of a window are equal, over all frames.
__device__ inline bool constant(
    const RAW* raw, int count, i64 frame, i64 row, i64 column, int tall, int wide) {
    const RAW value = raw[0];
    for (int k = 0; k < count; ++k)
        for (int y = 0; y < tall; ++y)
            for (int x = 0; x < wide; ++x)
                if (raw[k * frame + y * row + x * column] != value) return false;
    return true;
}

// What the scores read of the reference alone (see engine.images): the mean and
//   pearson 1 / sqrt(v);  umpa_dark 1 / v;  umpa g = 1 / (v + m^2), m g, v g.
__device__ inline void write_reference(REAL* images, i64 plane, double mean, double variance, double level, bool none) {
    const double m = mean + level;
    double f = METHOD == PEARSON ? 1 / sqrt(variance) : 1 / variance;
    if (METHOD == UMPA) f = 1 / (variance + m * m);
    images[0] = (REAL)mean;
    images[plane] = none ? (REAL)NAN : (REAL)f;
    if (METHOD == UMPA) {
        images[2 * plane] = (REAL)(m * f);
        images[3 * plane] = (REAL)(variance * f);
    }
}

// And of the sample: the mean and, for umpa, 2 m and m^2.
__device__ inline void write_sample(REAL* images, i64 plane, double mean, double level) {
    const double m = mean + level;
    images[0] = (REAL)mean;
    if (METHOD == UMPA) {
        images[plane] = (REAL)(2 * m);
        images[2 * plane] = (REAL)(m * m);
    }
}

// Windowed moments (2, places, pitch) of one side, and what comes of them. One block a row of windows:
// grid (tiles, places); shared memory 2 * pitch doubles. `beyond` is the number of windows of a tile beyond
// its outputs, along y and x.
extern "C" __global__ void windows(
    const double* total, int rows, int pitch, const Tile* tiles, int beyond_y, int beyond_x, const double* wy,
    const double* wx, int tall, const RAW* raw, int count, i64 frame, i64 row, i64 column, int is_reference,
    int places, Side* sides, double* moments, REAL* images, u8* none) {
    SHARED(double, line);
    const Tile tile = tiles[blockIdx.x];
    const int y = blockIdx.y, height = tile.height + beyond_y, width = tile.width + beyond_x;
    if (y >= height) return;
    const i64 from = (i64)rows * pitch, plane = (i64)places * pitch;
    total += 2 * blockIdx.x * from + (i64)y * pitch;
    for (int x = threadIdx.x; x < pitch; x += blockDim.x) {
        double first = 0, second = 0;
        for (int i = 0; i < tall; ++i) {
            first += wy[i] * total[(i64)i * pitch + x];
            second += wy[i] * total[from + (i64)i * pitch + x];
        }
        line[x] = first;
        line[pitch + x] = second;
    }
    __syncthreads();
    Side& side = sides[blockIdx.x];
    const double level = side.level * side.scale;
    const double rounding = 64 * 2.220446049250313e-16 * level;
    raw += (tile.y + y) * row + tile.x * column;
    moments += 2 * blockIdx.x * plane + (i64)y * pitch;
    images += (is_reference ? IMAGES_R : IMAGES_S) * blockIdx.x * plane + (i64)y * pitch;
    none += blockIdx.x * plane + (i64)y * pitch;
    double energy = 0, least = INFINITY;
    for (int x = threadIdx.x; x < width; x += blockDim.x) {
        double mean = 0, square = 0;
        for (int i = 0; i < WIDE; ++i) {
            mean += wx[i] * line[x + i];
            square += wx[i] * line[pitch + x + i];
        }
        const double variance = fmax(square - mean * mean, 0.0);
        const bool flat = !(variance > rounding * rounding + 1e-12 * mean * mean);
        const bool texture = !flat && !constant(raw + x * column, count, frame, row, column, tall, WIDE);
        moments[x] = mean;
        moments[plane + x] = variance;
        none[x] = !texture;
        if (is_reference)
            write_reference(images + x, plane, mean, variance, level, !texture);
        else
            write_sample(images + x, plane, mean, level);
        energy = fmax(energy, square);
        if (!flat) least = fmin(least, variance);
    }
    atomicMax(&side.energy, (u64)__double_as_longlong(energy));
    atomicMin(&side.least, (u64)__double_as_longlong(least));
}

// Set `lossy` where sums in float would be wrong by 1e-4 of a score: each step rounds by some 3.6e-8 of a
// column's sum, a random walk over the rows of a tile, which the columns of a window average; what one
// outstanding pixel leaves behind is not averaged. Or by one percent of the finest texture, whose variance of
// single pixels is a third of its squared second differences.
extern "C" __global__ void too_little_for_float(
    const Side* reference, const Side* sample, int tiles, int rows_r, int rows_s, int tall, u8* lossy) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= tiles) return;
    bool any = false;
    for (int n = 0; n < 2; ++n) {
        const Side& side = n ? sample[i] : reference[i];
        const double energy = __longlong_as_double((i64)side.energy);
        const double greatest = __longlong_as_double((i64)side.greatest);
        const double least = __longlong_as_double((i64)side.least);
        const double limit = 3.6e-4 * (sqrt((double)(n ? rows_s : rows_r) / WIDE) * energy + greatest / (tall * WIDE));
        any = any || limit > 36 * side.texture * side.texture;
        any = any || least < limit;  // `least` stays NaN, which is never less, where no window has texture
    }
    lossy[i] = any;
}
