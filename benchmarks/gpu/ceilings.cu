// What a device can do at most: float32 multiply-adds, eight independent chains a thread.
extern "C" __global__ void multiply_adds(float* out, int repeats) {
    float v[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) v[i] = threadIdx.x + i;
    for (int n = 0; n < repeats; ++n)
#pragma unroll
        for (int i = 0; i < 8; ++i) v[i] = v[i] * 0.9999f + 1e-4f;
    float sum = 0;
#pragma unroll
    for (int i = 0; i < 8; ++i) sum += v[i];
    out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}
