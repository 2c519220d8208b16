/* What stream_server.c has sent, in its own times: CLOCK_MONOTONIC in ns. Values are kept, so percentiles are exact. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int64_t ns;
#define MS 1000000.0
#define S 1000000000.0

struct values {
    ns *data;
    size_t used, size;
};

/* A second of ours: how many chunks, and our CPU time when it began. */
struct second {
    long chunks;
    ns cpu;
};

static struct {
    struct values ttft, gap, latency, lag;
    struct second *seconds;
    size_t seconds_used, seconds_size;
    long requests, work, streams, broken;
    ns began;
} book;

static ns clock_of(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (ns)t.tv_sec * (ns)S + t.tv_nsec;
}

static ns now_ns(void) { return clock_of(CLOCK_MONOTONIC); }

/* realloc() to twice the size, as often as it takes. */
static void *grown(void *data, size_t *size, size_t needed, size_t of)
{
    if (needed <= *size)
        return data;
    while (*size < needed)
        *size = *size ? *size * 2 : 4096;
    data = realloc(data, *size * of);
    if (!data)
        abort();
    return data;
}

static void record(struct values *v, ns value)
{
    v->data = grown(v->data, &v->size, v->used + 1, sizeof *v->data);
    v->data[v->used++] = value;
}

static void count_chunk(ns now)
{
    size_t at = (size_t)((now - book.began) / (ns)S);
    while (book.seconds_used <= at) {
        book.seconds = grown(book.seconds, &book.seconds_size, book.seconds_used + 1, sizeof *book.seconds);
        book.seconds[book.seconds_used++] = (struct second){0, clock_of(CLOCK_PROCESS_CPUTIME_ID)};
    }
    book.seconds[at].chunks++;
}

static int rising(const void *a, const void *b)
{
    ns x = *(const ns *)a, y = *(const ns *)b;
    return (x > y) - (x < y);
}

/* Of sorted values, 0 where there are none. The rank is rounded as HdrHistogram does. */
static ns percentile(const ns *sorted, size_t n, double percent)
{
    size_t rank = (size_t)(percent * (double)n / 100 + 0.5);
    return n ? sorted[rank ? rank - 1 : 0] : 0;
}

static int print_percentiles(char *to, size_t size, const char *name, const struct values *v)
{
    /* A copy, so that what comes later is not sorted into it. */
    ns *sorted = malloc((v->used + 1) * sizeof *sorted);
    if (!sorted)
        abort();
    if (v->used)
        memcpy(sorted, v->data, v->used * sizeof *sorted);
    qsort(sorted, v->used, sizeof *sorted, rising);
    double p[3] = {50, 90, 99};
    for (int i = 0; i < 3; i++)
        p[i] = (double)percentile(sorted, v->used, p[i]) / MS;
    free(sorted);
    return snprintf(to, size, ",\"%s\":{\"p50\":%.6f,\"p90\":%.6f,\"p99\":%.6f}", name, p[0], p[1], p[2]);
}

/* The seconds in which chunks were sent, the busier ones of them: what it was when all streams ran. */
static void plateau(double *chunks_per_s, double *cpu_percent)
{
    struct values chunks = {0}, cpu = {0};
    for (size_t i = 0; i < book.seconds_used; i++) {
        if (book.seconds[i].chunks)
            record(&chunks, book.seconds[i].chunks);
        if (book.seconds[i].chunks && i + 1 < book.seconds_used)
            record(&cpu, book.seconds[i + 1].cpu - book.seconds[i].cpu);
    }
    if (chunks.used)
        qsort(chunks.data, chunks.used, sizeof(ns), rising);
    if (cpu.used)
        qsort(cpu.data, cpu.used, sizeof(ns), rising);
    *chunks_per_s = (double)percentile(chunks.data, chunks.used, 75);
    *cpu_percent = (double)percentile(cpu.data, cpu.used, 75) / S * 100;
    free(chunks.data);
    free(cpu.data);
}

static void stats(char *to, size_t size)
{
    double chunks_per_s, cpu_percent;
    plateau(&chunks_per_s, &cpu_percent);
    size_t n = (size_t)snprintf(
        to, size,
        "{\"requests\":%ld,\"work\":%ld,\"streams\":%ld,\"broken\":%ld,\"chunks\":%zu,\"chunks_per_s\":%.1f,"
        "\"cpu_percent\":%.1f",
        book.requests, book.work, book.streams, book.broken, book.ttft.used + book.gap.used, chunks_per_s, cpu_percent);
    n += (size_t)print_percentiles(to + n, size - n, "ttft_ms", &book.ttft);
    n += (size_t)print_percentiles(to + n, size - n, "gap_ms", &book.gap);
    n += (size_t)print_percentiles(to + n, size - n, "latency_ms", &book.latency);
    n += (size_t)print_percentiles(to + n, size - n, "lag_ms", &book.lag);
    snprintf(to + n, size - n, "}");
}
