// The pool behind `run_works`: threads that join the caller's program while there is some.
//
// The ticket names the work that is open and its next chunk. A thread takes a chunk by raising the
// ticket, which fails if anybody else did, or if that work or that program is over; so a thread that
// wakes late can do no harm, and nobody has to know which threads are there.

#include "pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#if defined(__linux__)
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <chrono>
#include <climits>

namespace {

using Clock = std::chrono::steady_clock;

// Between two products of a step lie some ten microseconds of Python: a thread that slept there
// would be woken hundreds of times a step. Longer than this the core belongs to whoever needs it.
constexpr auto SPIN = std::chrono::microseconds(60);

inline void pause_once() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// A word that threads wait on until it changes.
class Word {
  public:
    std::atomic<uint32_t> value{0};

    // Returns once the value is another one than `old`: spins first, then sleeps.
    void wait_while(uint32_t old) {
        const auto until = Clock::now() + SPIN;
        do {
            for (int i = 0; i < 64; i++) {
                if (value.load(std::memory_order_acquire) != old) return;
                pause_once();
            }
        } while (Clock::now() < until);
        sleepers.fetch_add(1);
        while (value.load(std::memory_order_acquire) == old) sleep_on(old);
        sleepers.fetch_sub(1);
    }

    // After a change: wakes up to `count` of those that sleep.
    void wake(int count) {
        if (sleepers.load() > 0) wake_sleepers(count);
    }

  private:
    std::atomic<int> sleepers{0};

#if defined(__linux__)
    void sleep_on(uint32_t old) {
        syscall(SYS_futex, &value, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
    }
    void wake_sleepers(int count) {
        syscall(SYS_futex, &value, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
    }
#else
    std::mutex mutex;
    std::condition_variable changed;
    void sleep_on(uint32_t old) {
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [&] { return value.load() != old; });
    }
    void wake_sleepers(int) {
        std::lock_guard<std::mutex> lock(mutex);
        changed.notify_all();
    }
#endif
};

// A ticket: number of the program, index of the work, index of its next chunk.
constexpr int CHUNK_BITS = 20, WORK_BITS = 12;
constexpr int64_t MOST_CHUNKS = 1 << (CHUNK_BITS - 1), MOST_WORKS = 1024;
constexpr uint32_t CLOSED = (1 << WORK_BITS) - 1;  // The index of no work: the program is done.

inline uint64_t ticket_of(uint32_t program, uint32_t work) {
    return (uint64_t)program << (WORK_BITS + CHUNK_BITS) | (uint64_t)work << CHUNK_BITS;
}
inline uint32_t work_of(uint64_t ticket) { return ticket >> CHUNK_BITS & CLOSED; }
inline uint32_t chunk_of(uint64_t ticket) { return ticket & ((1 << CHUNK_BITS) - 1); }

class Pool {
  public:
    // False when another thread's program is under way.
    bool run(int threads, const Work *works, int64_t number, double *seconds) {
        std::unique_lock<std::mutex> lock(busy, std::try_to_lock);
        if (!lock.owns_lock()) return false;
        while (started < threads - 1) start_one();
        helpers.store(threads - 1, std::memory_order_relaxed);
        for (int64_t first = 0; first < number; first += MOST_WORKS)
            run_some(works + first, std::min(number - first, MOST_WORKS),
                     seconds ? seconds + first : nullptr);
        return true;
    }

  private:
    struct Entry {
        const Work *work;
        int64_t chunk;
        std::atomic<uint32_t> chunks{0};  // Read by threads that then find that they came too late.
        std::atomic<uint32_t> left{0};
    };
    std::mutex busy;
    int started = 0;
    std::atomic<int> helpers{0};
    Word opened;    // Changes when chunks can be taken, for the pool's threads.
    Word advanced;  // Changes when a work is done, for the caller.
    std::atomic<uint64_t> ticket{ticket_of(0, CLOSED)};
    Entry entries[MOST_WORKS];
    // Read only by threads that hold a chunk of the open program, and by the caller.
    uint32_t program = 0;
    int64_t number = 0;
    double *seconds = nullptr;
    Clock::time_point since;

    void run_some(const Work *works, int64_t count, double *times) {
        number = count, seconds = times, program++;
        for (int64_t i = 0; i < count; i++) {
            Entry &entry = entries[i];
            entry.work = works + i;
            entry.chunk = std::max(works[i].chunk, works[i].count / MOST_CHUNKS + 1);
            const auto chunks = (uint32_t)((works[i].count + entry.chunk - 1) / entry.chunk);
            entry.chunks.store(chunks, std::memory_order_relaxed);
            entry.left.store(chunks, std::memory_order_relaxed);
        }
        if (seconds) since = Clock::now();
        open(0);
        for (;;) {
            const uint32_t seen = advanced.value.load();
            if (take_chunk()) continue;
            if (work_of(ticket.load(std::memory_order_acquire)) == CLOSED) return;
            advanced.wait_while(seen);
        }
    }

    // Opens a work, or closes the program after the last one.
    void open(int64_t work) {
        while (work < number && entries[work].chunks.load(std::memory_order_relaxed) == 0) work++;
        const bool is_over = work == number;
        const uint32_t chunks =
            is_over ? 0 : entries[work].chunks.load(std::memory_order_relaxed);
        const int others = std::min((int)chunks - 1, helpers.load(std::memory_order_relaxed));
        ticket.store(ticket_of(program, is_over ? CLOSED : (uint32_t)work));
        // From here on, where the program is over, nothing of it may be read.
        advanced.value.fetch_add(1);
        advanced.wake(1);
        if (others > 0) {
            opened.value.fetch_add(1);
            opened.wake(others);
        }
    }

    // Takes a chunk and runs it; false if there is none to take.
    bool take_chunk() {
        uint64_t now = ticket.load(std::memory_order_acquire);
        const uint32_t at = work_of(now), chunk = chunk_of(now);
        if (at == CLOSED) return false;
        Entry &entry = entries[at];
        if (chunk >= entry.chunks.load(std::memory_order_relaxed)) return false;
        if (!ticket.compare_exchange_strong(now, now + 1)) return true;
        const int64_t start = chunk * entry.chunk;
        entry.work->body(start, std::min(start + entry.chunk, entry.work->count));
        if (entry.left.fetch_sub(1) == 1) {
            if (seconds) {
                const auto time = Clock::now();
                seconds[at] = std::chrono::duration<double>(time - since).count();
                since = time;
            }
            open(at + 1);
        }
        return true;
    }

    void start_one() {
        const int index = started++;
        std::thread([this, index] { help(index); }).detach();
    }

    void help(int index) {
        for (;;) {
            const uint32_t seen = opened.value.load();
            if (index < helpers.load(std::memory_order_relaxed) && take_chunk()) continue;
            opened.wait_while(seen);
        }
    }
};

// Never destroyed: its threads outlive the end of main.
Pool *pool = nullptr;
std::once_flag made;

void make_pool() {
    pool = new Pool;
#if defined(__linux__)
    // A forked child has the memory of the pool and none of its threads.
    pthread_atfork(nullptr, nullptr, [] { pool = new Pool; });
#endif
}

struct Memory {
    void *at = nullptr;
    size_t size = 0;
    ~Memory() { std::free(at); }
};

}  // namespace

void run_works(int threads, const Work *works, int64_t number, double *seconds) {
    std::call_once(made, make_pool);
    if (threads > 1 && pool->run(threads, works, number, seconds)) return;
    for (int64_t i = 0; i < number; i++) {
        const auto since = Clock::now();
        if (works[i].count > 0) works[i].body(0, works[i].count);
        if (seconds) seconds[i] = std::chrono::duration<double>(Clock::now() - since).count();
    }
}

void *thread_memory(size_t bytes) {
    static thread_local Memory memory;
    if (bytes > memory.size) {
        std::free(memory.at);
        const size_t size = (bytes + 63) / 64 * 64;
        memory.at = std::aligned_alloc(64, size);
        memory.size = memory.at ? size : 0;
    }
    return memory.at;
}
