// From the best shift of each pixel and the scores around it to the answer: one thread a pixel.
#include "fits.cuh"

// Whether a pixel of a rectangle is strange; strange (rows, pitch) of a tile.
__device__ inline bool any_strange(const u8* strange, int pitch, int tall, int wide) {
    for (int y = 0; y < tall; ++y)
        for (int x = 0; x < wide; ++x)
            if (strange[(i64)y * pitch + x]) return true;
    return false;
}

// |T| and |V| from what was kept at the found shift (with the sign of the covariance for umpa_dark); nothing is
// of a constant reference window, whose covariance is 0.
__device__ inline Way transmission_and_dark_field(
    double kept, double m_r, double v_r, double m_s, double mean) {
    if (METHOD == UMPA) return {sqrt((m_s * m_s + (isnan(kept) ? 0.0 : kept)) / (v_r + m_r * m_r)), 1.0};
    const double ratio = copysign(sqrt(fabs(kept) / v_r), kept);
    const double t = (m_s - ratio * m_r) / mean + ratio;
    return {fabs(t), fabs(ratio / t)};
}

// `out` is x, y, score, T, V, each `plane` apart; a pixel (y, x) of the piece that is a multiple of step,
// counted from (top, left), goes to (y / step) * out_row + (x / step) * out_column. x and y are exchanged when
// the piece was `turned`. Grid (tiles, rows).
extern "C" __global__ void locate_peaks(
    const Tile* tiles, const u8* lossy, int wanted, int top, int left, int step, int turned, int rows, int tall,
    int ny, int nx, int cy, int cx, int size, const REAL* best, const int* index, const REAL* around,
    const double* line_fit, const double* surface_fit, const Side* reference, const Side* sample,
    const double* moments_r, const double* moments_s, int places, int pitch, const u8* none_s,
    const u8* strange_r, int rows_r, const u8* strange_s, int rows_s, double reference_mean, i64 plane,
    i64 out_row, i64 out_column, float* out) {
    const int block = blockIdx.x, y = blockIdx.y;
    const Tile tile = tiles[block];
    if (lossy[block] != wanted || y >= tile.height || (top + tile.y + y) % step) return;
    const Side &ref = reference[block], &sam = sample[block];
    const i64 pixels = (i64)rows * SPAN, windows_r = (i64)places * pitch;
    for (int x = threadIdx.x; x < tile.width; x += blockDim.x) {
        if ((left + tile.x + x) % step) continue;
        const i64 at = (i64)y * SPAN + x, mine = block * pixels + at;
        const int first_y = (top + step - 1) / step, first_x = (left + step - 1) / step;
        float* to = out + ((top + tile.y + y) / step - first_y) * out_row + ((left + tile.x + x) / step - first_x) * out_column;
        for (int n = 0; n < (METHOD == PEARSON ? 3 : METHOD == UMPA ? 4 : 5); ++n) to[n * plane] = NAN;
        const int which = index[mine];
        if (which < 0 || none_s[mine]) continue;
        if (sam.strange && any_strange(strange_s + block * (i64)rows_s * SPAN + at, SPAN, tall, WIDE)) continue;
        if (ref.strange && any_strange(strange_r + block * (i64)rows_r * pitch + (i64)y * pitch + x, pitch,
                                       tall + ny - 1, WIDE + nx - 1)) continue;
        const int py = which >> 16, px = which & 0xffff;
        const int first_row = min(max(py - cy / 2, 0), ny - cy), first_column = min(max(px - cx / 2, 0), nx - cx);
        const bool fits = (ny == 1 || ny >= size) && (nx == 1 || nx >= size);
        const double mean_s = moments_s[2 * block * pixels + at];
        const double variance_s = moments_s[(2 * block + 1) * pixels + at];
        const double factor = METHOD == PEARSON ? 1 / sqrt(variance_s) : 1 / variance_s;
        const double m_s = mean_s + sam.level * sam.scale;
        const double lowest = METHOD == PEARSON ? -1.0 : METHOD == UMPA ? -factor * m_s * m_s : 0.0;
        const Scores scores = {around + (i64)block * cy * cx * pixels + at, pixels, cy, cx, factor, lowest};
        const int in_y = py - first_row, in_x = px - first_column;
        const Way way = refine(scores, in_y, in_x, fits && py > 0 && py < ny - 1, fits && px > 0 && px < nx - 1,
                               line_fit, surface_fit);
        double t = NAN, v = NAN;
        if (METHOD != PEARSON) {
            const int r = min(max((int)rint(in_y + way.y), 0), cy - 1), c = min(max((int)rint(in_x + way.x), 0), cx - 1);
            const i64 there = (i64)(y + first_row + r) * pitch + x + first_column + c;
            const Way both = transmission_and_dark_field(
                scores.signed_at(r, c), moments_r[2 * block * windows_r + there] + ref.level * ref.scale,
                moments_r[(2 * block + 1) * windows_r + there], m_s, reference_mean * ref.scale);
            t = both.x * (ref.scale / sam.scale);
            v = both.y;
            if (!isfinite(t + v)) continue;
        }
        const double shift_x = px - nx / 2 + way.x, shift_y = py - ny / 2 + way.y;
        to[0] = (float)(turned ? shift_y : shift_x);
        to[plane] = (float)(turned ? shift_x : shift_y);
        to[2 * plane] = (float)((double)best[mine] * factor);
        if (METHOD != PEARSON) to[3 * plane] = (float)t;
        if (METHOD == UMPA_DARK) to[4 * plane] = (float)v;
    }
}
