// What every kernel shares: the choices a variant is compiled with, a tile, and loads of sixteen bytes.
//
//   REAL      float, or double for tiles that lose texture in float
//   PIXEL     type of the pixels that are compared;  RAW, of the same before any normalisation
//   METHOD    0 pearson, 1 umpa, 2 umpa_dark
//   WIDE      window along x, px
//   COLUMNS   neighbouring columns of one thread;  RUN, shifts along x of one warp at a time
//   THREADS   of the largest block that searches;  BLOCKS, that a multiprocessor must hold at once
//   RING      0 running sums for a window of equal weights; rows of products kept in 1 shared or 2 global memory
//             for a weighted one, and in double, where nothing may stay behind of what has left a window
#pragma once

#define PEARSON 0
#define UMPA 1
#define UMPA_DARK 2

#define LANES 32
#define SPAN (LANES * COLUMNS)     // columns of a tile's sample rows
#define PACK (16 / (int)sizeof(REAL))
#define IMAGES_R 4                 // images the scores read of the reference
#define IMAGES_S 3                 // and of the sample

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800  // spills a few registers otherwise
#undef BLOCKS
#define BLOCKS 1
#endif

#ifdef __CUDACC_RTC__  // which has no <cmath>
#define INFINITY __int_as_float(0x7f800000)
#define NAN __int_as_float(0x7fffffff)
#endif

#ifndef SHARED  // memory of a block, as much as the launch gives it
#define SHARED(type, name) extern __shared__ type name[]
#endif

typedef unsigned char u8;
typedef unsigned long long u64;
typedef long long i64;

// Output pixels [y, y + height) x [x, x + width) of a piece. Its reference pixels begin at (y, x) of the
// frames, its sample pixels `margin` further on both axes.
struct Tile {
    int y, x, height, width;
};

// What is known of a tile's pixels on one side (reference or sample).
struct Side {
    double level, scale;      // pixels are used as (pixel - level) * scale
    double texture;           // the finest there is, second differences along a row; infinite when there is none
    u64 energy;               // bits of the greatest mean square of a window,
    u64 greatest;             // of a pixel, over all frames,
    u64 least;                // and of the least variance of a window with texture
    u64 strange;              // not 0 when a pixel is not finite
};

struct alignas(16) Pack {
    REAL v[PACK];
};

// Load `N` neighbours from an address that is a multiple of sixteen bytes.
template <int N>
__device__ inline void load(REAL (&to)[N], const REAL* from) {
    static_assert(N % PACK == 0, "whole packs");
#pragma unroll
    for (int i = 0; i < N / PACK; ++i) {
        const Pack pack = reinterpret_cast<const Pack*>(from)[i];
#pragma unroll
        for (int j = 0; j < PACK; ++j) to[i * PACK + j] = pack.v[j];
    }
}

template <int N>
__device__ inline void store(REAL* to, const REAL (&from)[N]) {
#pragma unroll
    for (int i = 0; i < N / PACK; ++i) {
        Pack pack;
#pragma unroll
        for (int j = 0; j < PACK; ++j) pack.v[j] = from[i * PACK + j];
        reinterpret_cast<Pack*>(to)[i] = pack;
    }
}
