// Sub-pixel fits to the scores around a peak; the same as shiftfield.peaks.fits, for one peak. In double.
#pragma once
#include "common.cuh"

// Scores around a peak: score(r, c) is `factor` times what was kept, `lowest` where there is none.
struct Scores {
    const REAL* kept;
    i64 apart;  // from score to score
    int ny, nx;
    double factor, lowest;

    __device__ inline double signed_at(int r, int c) const { return (double)kept[(r * nx + c) * apart]; }

    __device__ inline double at(int r, int c) const {
        double s = signed_at(r, c);
        if (METHOD == UMPA_DARK) s = fabs(s);
        s *= factor;
        return isnan(s) ? lowest : s;
    }
};

struct Way {
    double x, y;
};

// A shift that leaves its pixel or is no number is none.
__device__ inline double less_than_1(double shift) { return fabs(shift) < 1 ? shift : 0.0; }

// The way from the peak to a vertex inside its neighbourhood (Pan).
__device__ inline double inside(double vertex, int size, int at) {
    return vertex > 0 && vertex < size - 1 ? vertex - at : 0.0;
}

// Peak of the parabola through three scores.
__device__ inline double three(double before, double at, double after) {
    const double curvature = after + before - 2 * at;
    return curvature < 0 ? less_than_1((before - after) / (2 * curvature)) : 0.0;
}

// Peak of the quadric through 3 x 3 scores (Fisher & Welsch); each axis on its own where it has none.
__device__ inline Way nine(const Scores& s) {
    const double centre = s.at(1, 1), left = s.at(1, 0), right = s.at(1, 2), up = s.at(0, 1), down = s.at(2, 1);
    const double fx = (right - left) / 2, fy = (down - up) / 2;
    const double fxx = right + left - 2 * centre, fyy = down + up - 2 * centre;
    const double fxy = (s.at(2, 2) + s.at(0, 0) - s.at(2, 0) - s.at(0, 2)) / 4;
    const double n = fxy * fxy - fxx * fyy;
    if (fxx < 0 && n < 0) return {less_than_1((fyy * fx - fxy * fy) / n), less_than_1((fxx * fy - fxy * fx) / n)};
    return {three(left, centre, right), three(up, centre, down)};
}

// Vertex of a parabola fitted to `size` scores along x (of row `other`) or along y (of column `other`);
// `fit` is (3, size).
__device__ inline double line(const Scores& s, bool along_x, int other, int size, int at, const double* fit) {
    if (!fit) return along_x ? three(s.at(other, 0), s.at(other, 1), s.at(other, 2))
                             : three(s.at(0, other), s.at(1, other), s.at(2, other));
    double a1 = 0, a2 = 0;
    for (int i = 0; i < size; ++i) {
        const double v = along_x ? s.at(other, i) : s.at(i, other);
        a1 += fit[size + i] * v;
        a2 += fit[2 * size + i] * v;
    }
    return inside(-a1 / (2 * a2), size, at);
}

// Vertex of a paraboloid fitted to all scores; `fit` is (6, ny * nx).
__device__ inline Way surface(const Scores& s, int y, int x, const double* fit) {
    const int size = s.ny * s.nx;
    double a[6] = {};
    for (int r = 0; r < s.ny; ++r)
        for (int c = 0; c < s.nx; ++c) {
            const double v = s.at(r, c);
            for (int n = 1; n < 6; ++n) a[n] += fit[n * size + r * s.nx + c] * v;
        }
    const double n = a[4] * a[4] - 4 * a[3] * a[5];
    if (n == 0) return {0, 0};
    return {inside((2 * a[1] * a[5] - a[2] * a[4]) / n, s.nx, x),
            inside((2 * a[2] * a[3] - a[1] * a[4]) / n, s.ny, y)};
}

// The way from the peak at (y, x) of its neighbourhood to the top; `inner` says along which axes. Without
// fits (null) the peak is that of three or nine scores.
__device__ inline Way refine(
    const Scores& s, int y, int x, bool inner_y, bool inner_x, const double* line_fit, const double* surface_fit) {
    if (s.ny == 1) return {inner_x ? line(s, true, 0, s.nx, x, line_fit) : 0.0, 0.0};
    if (s.nx == 1) return {0.0, inner_y ? line(s, false, 0, s.ny, y, line_fit) : 0.0};
    if (inner_x && inner_y) return surface_fit ? surface(s, y, x, surface_fit) : nine(s);
    if (inner_x) return {line(s, true, y, s.nx, x, line_fit), 0.0};
    if (inner_y) return {0.0, line(s, false, x, s.ny, y, line_fit)};
    return {0.0, 0.0};
}
