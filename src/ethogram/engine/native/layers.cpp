// All layers of a Llama-family model as one program of the pool: seven works a layer.
//
// One call a step leaves Python out of the layers, and no thread waits for the calling one between
// two of them.

#include <algorithm>
#include <vector>

#include "works.h"

namespace {

constexpr int64_t ALIGNED = 64;  // bytes
enum Kind { NORM, QKV, ATTENTION, OUTPUT, GATE_UP, DOWN, HEAD, KINDS };

int64_t aligned(int64_t bytes) { return (bytes + ALIGNED - 1) / ALIGNED * ALIGNED; }

}  // namespace

// The structs of `layer_kernels.py`. Weights of a layer: norms [hidden], products [outputs, inputs],
// biases [outputs] or null.
extern "C" {
struct Layer {
    const void *attention_norm, *qkv, *qkv_bias, *output, *output_bias;
    const void *mlp_norm, *gate_up, *gate_up_bias, *down, *down_bias;
};
struct Model {
    const Layer *layers;
    int64_t count, hidden, heads, kv_heads, dim, inner, vocab;
    const void *norm, *head, *head_bias;
    float epsilon, scale;
    int32_t is_bf16;
};
// residual: [rows, hidden] embeddings, which the layers add to; positions, lengths (positions + 1):
// [rows]; keys, values: of each layer the first row's slot, with the strides (in elements) of rows,
// heads and positions; prefixes as `attend` takes them; normed: [rows, hidden], the result; logits:
// [rows, vocab] or null; scratch: `layers_scratch` bytes, aligned to 64.
struct Pass {
    int64_t rows;
    void *residual;
    const int64_t *positions, *lengths;
    const float *cosines, *sines;
    void *const *keys, *const *values;
    const int64_t *key_strides, *value_strides;
    const int64_t *prefix_rows, *prefix_lengths, *prefix_order;
    void *normed, *logits, *scratch;
    int32_t same_slot;
};
}

namespace {

// Where the rows are between two works.
struct Buffers {
    char *added, *joined, *query, *mixed, *activated;
    int64_t bytes;

    Buffers(const Model &m, int64_t rows, char *at) {
        const int64_t size = rows * (m.is_bf16 ? 2 : 4), heads = m.heads * m.dim;
        const auto next = [&](int64_t width) {
            char *mine = at + bytes;
            bytes += aligned(width * size);
            return mine;
        };
        bytes = 0;
        added = next(m.hidden);
        joined = next(heads + 2 * m.kv_heads * m.dim);
        query = next(heads);
        mixed = next(heads);
        activated = next(m.inner);
    }
};

// The works of a pass in order, and of what kind each is.
class Program {
  public:
    std::vector<Work> works;
    std::vector<Kind> kinds;
    std::atomic<int> failed{0};

    Program(const Model &m, const Pass &p, int threads)
        : m(m), p(p), buffers(m, p.rows, (char *)p.scratch), threads(threads) {
        works.reserve(m.count * 8 + 2);
        for (int64_t i = 0; i < m.count; i++) add_layer(i);
        norm(m.norm, m.count ? buffers.added : nullptr);
        if (p.logits) product(HEAD, p.normed, m.head, m.head_bias, p.logits, m.hidden, m.vocab);
    }

  private:
    const Model &m;
    const Pass &p;
    const Buffers buffers;
    const int threads;

    void add(Kind kind, Work work) {
        works.push_back(std::move(work));
        kinds.push_back(kind);
    }
    void norm(const void *weight, const void *added) {
        add(NORM, norm_work(m.is_bf16, {p.residual, added, weight, p.normed, p.rows, m.hidden,
                                        m.epsilon}));
    }
    void product(Kind kind, const void *x, const void *weight, const void *bias, void *out,
                 int64_t inputs, int64_t outputs) {
        add(kind, product_work(m.is_bf16, {x, weight, bias, out, p.rows, inputs, outputs, outputs},
                               threads, &failed));
    }

    void add_layer(int64_t index) {
        const Layer &layer = m.layers[index];
        const int64_t heads = m.heads * m.dim;
        norm(layer.attention_norm, index ? buffers.added : nullptr);
        product(QKV, p.normed, layer.qkv, layer.qkv_bias, buffers.joined, m.hidden,
                heads + 2 * m.kv_heads * m.dim);
        attend(p.keys[index], p.values[index]);
        product(OUTPUT, buffers.mixed, layer.output, layer.output_bias, buffers.added, heads,
                m.hidden);
        norm(layer.mlp_norm, buffers.added);
        add(GATE_UP, gated_work(m.is_bf16,
                                {p.normed, layer.gate_up, layer.gate_up_bias, buffers.activated,
                                 p.rows, m.hidden, 2 * m.inner, m.inner},
                                threads, &failed));
        product(DOWN, buffers.activated, layer.down, layer.down_bias, buffers.added, m.inner,
                m.hidden);
    }

    void attend(void *key, void *value) {
        const Rotation rotation = {buffers.joined, p.cosines,     p.sines,         p.positions,
                                   buffers.query,  key,           value,           p.key_strides,
                                   p.value_strides, p.rows,       m.heads,         m.kv_heads,
                                   m.dim};
        const Attention attention = {buffers.query, key,         value,         buffers.mixed,
                                     nullptr,       0,           p.lengths,     p.prefix_rows,
                                     p.prefix_lengths, p.prefix_order, p.rows,  m.heads,
                                     m.kv_heads,    m.dim,       p.key_strides, p.value_strides,
                                     m.scale};
        if (p.same_slot) {  // Rows attend to what other rows write.
            add(ATTENTION, rotation_work(m.is_bf16, rotation));
            add(ATTENTION, attention_work(m.is_bf16, attention, &failed));
        } else {
            add(ATTENTION, rotation_and_attention_work(m.is_bf16, rotation, attention, &failed));
        }
    }
};

}  // namespace

extern "C" {
int64_t layers_scratch(const Model *model, int64_t rows) {
    return Buffers(*model, rows, nullptr).bytes;
}

// Returns 0, or 1 when memory is short. seconds: [7], to which the time of each kind of work is
// added, or null.
int run_layers(const Model *model, const Pass *pass, int threads, double *seconds) {
    Program program(*model, *pass, threads);
    const auto count = (int64_t)program.works.size();
    std::vector<double> times(seconds ? count : 0);
    run_works(threads, program.works.data(), count, seconds ? times.data() : nullptr);
    for (size_t i = 0; i < times.size(); i++) seconds[program.kinds[i]] += times[i];
    return program.failed;
}
}
