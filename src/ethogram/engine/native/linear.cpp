// Products of rows with a weight matrix, as functions: out = x weight^T + bias.

#include <atomic>
#include <cstdint>

#include "works.h"

namespace {

int multiply(bool is_bf16, const Product &product, int threads) {
    std::atomic<int> failed{0};
    const Work work = product_work(is_bf16, product, threads, &failed);
    run_works(threads, &work, 1);
    return failed;
}

}  // namespace

// x: [rows, inputs], weight: [outputs, inputs], bias: [outputs] or null, all contiguous and of one
// type. out: [rows, outputs], rows `out_stride` elements apart. Returns 0, or 1 when memory is
// short.
extern "C" {
int linear_float32(const void *x, const void *weight, const void *bias, void *out, int64_t rows,
                   int64_t inputs, int64_t outputs, int64_t out_stride, int threads) {
    return multiply(false, {x, weight, bias, out, rows, inputs, outputs, out_stride}, threads);
}
int linear_bfloat16(const void *x, const void *weight, const void *bias, void *out, int64_t rows,
                    int64_t inputs, int64_t outputs, int64_t out_stride, int threads) {
    return multiply(true, {x, weight, bias, out, rows, inputs, outputs, out_stride}, threads);
}
}
