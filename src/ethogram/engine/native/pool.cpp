// The pool behind `in_chunks`: threads that join the caller's work while there is some.
//
// A call is open while chunks may be taken. A thread joins by counting itself in while it is open,
// so a thread that wakes late finds it closed and goes back to sleep; the caller closes the call
// when the chunks have run out and waits until the count is zero.

#include "pool.h"

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

constexpr uint32_t OPEN = 1u << 31;

class Pool {
  public:
    void run(int threads, int64_t count, int64_t chunk, void (*body)(void *, int64_t, int64_t),
             void *data) {
        std::unique_lock<std::mutex> lock(busy, std::try_to_lock);
        if (!lock.owns_lock()) return body(data, 0, count);
        while (started < threads - 1) start_one();
        this->body = body, this->data = data, this->count = count, this->chunk = chunk;
        most = (uint32_t)threads - 1;
        next.store(0, std::memory_order_relaxed);
        inside.value.store(OPEN, std::memory_order_release);
        calls.value.fetch_add(1);
        const int64_t others = (count + chunk - 1) / chunk - 1;
        calls.wake(others < threads - 1 ? (int)others : threads - 1);
        take_chunks();
        uint32_t left = inside.value.fetch_and(~OPEN) & ~OPEN;
        while (left != 0) {
            inside.wait_while(left);
            left = inside.value.load(std::memory_order_acquire);
        }
    }

  private:
    std::mutex busy;
    int started = 0;
    Word calls;   // How many calls were opened.
    Word inside;  // How many threads are in the open call, and whether it is open.
    std::atomic<int64_t> next{0};
    void (*body)(void *, int64_t, int64_t) = nullptr;
    void *data = nullptr;
    int64_t count = 0, chunk = 1;
    std::atomic<uint32_t> most{0};  // Read by threads that then find that they came too late.

    void start_one() {
        const uint32_t seen = calls.value.load();
        std::thread([this, seen] { work(seen); }).detach();
        started++;
    }

    void work(uint32_t seen) {
        for (;;) {
            calls.wait_while(seen);
            seen = calls.value.load(std::memory_order_acquire);
            uint32_t now = inside.value.load(std::memory_order_acquire);
            while ((now & OPEN) && (now & ~OPEN) < most) {
                if (!inside.value.compare_exchange_weak(now, now + 1)) continue;
                take_chunks();
                if (inside.value.fetch_sub(1) == 1) inside.wake(1);
                break;
            }
        }
    }

    void take_chunks() {
        for (;;) {
            const int64_t start = next.fetch_add(chunk);
            if (start >= count) return;
            body(data, start, start + chunk < count ? start + chunk : count);
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

void run_chunks(int threads, int64_t count, int64_t chunk,
                void (*run)(void *, int64_t, int64_t), void *data) {
    std::call_once(made, make_pool);
    pool->run(threads, count, chunk, run, data);
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
