// Sorts the scores of each row, values only.
//
// Knows numbers; knows no token and no rule. A radix sort over the bits of the floats: three passes
// of eleven bits, each row alone.

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace {

constexpr int DIGIT_BITS = 11, DIGITS = 3;
constexpr uint32_t BUCKETS = 1u << DIGIT_BITS;

// An order-preserving map from floats to unsigned integers, and back. NaN is not expected.
inline uint32_t key_of(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return bits ^ (bits >> 31 ? 0xffffffffu : 0x80000000u);
}
inline float value_of(uint32_t key) {
    const uint32_t bits = key ^ (key >> 31 ? 0x80000000u : 0xffffffffu);
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

void sort_row(const float *from, float *to, int64_t count, uint32_t *keys, uint32_t *moved) {
    std::vector<uint32_t> places(DIGITS * BUCKETS, 0);
    for (int64_t i = 0; i < count; i++) {
        keys[i] = key_of(from[i]);
        for (int digit = 0; digit < DIGITS; digit++)
            places[digit * BUCKETS + (keys[i] >> (digit * DIGIT_BITS)) % BUCKETS]++;
    }
    for (int digit = 0; digit < DIGITS; digit++) {
        uint32_t *place = places.data() + digit * BUCKETS, before = 0;
        for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
            const uint32_t here = place[bucket];
            place[bucket] = before;
            before += here;
        }
        for (int64_t i = 0; i < count; i++)
            moved[place[(keys[i] >> (digit * DIGIT_BITS)) % BUCKETS]++] = keys[i];
        std::swap(keys, moved);
    }
    for (int64_t i = 0; i < count; i++) to[i] = value_of(keys[i]);
}

}  // namespace

// from, to: [rows, count] fp32 contiguous; `to` gets each row ascending.
extern "C" void sort_rows(const float *from, float *to, int64_t rows, int64_t count, int threads) {
#pragma omp parallel num_threads(threads)
    {
        std::vector<uint32_t> keys(count), moved(count);
#pragma omp for schedule(dynamic, 1)
        for (int64_t row = 0; row < rows; row++)
            sort_row(from + row * count, to + row * count, count, keys.data(), moved.data());
    }
}
