/* SPDX-License-Identifier: MIT */
/*
 * Load for servers that speak memcached's protocol, on 127.0.0.1:
 *
 *     client PORT THREADS CONNECTIONS REQUESTS
 *
 * Each thread has CONNECTIONS and N_KEYS names of its own, and sends REQUESTS:
 * half of them get, four tenths set, one tenth delete, in batches of up to
 * N_BATCH before it reads the answers, which fit into the sockets' buffers;
 * batches take the connections in turn. As caches are used, most requests are
 * for few names (N_HOT): what a server touches all the time then fits the
 * processor's own cache, and its time does not follow what else uses the memory.
 * Values are N_DOCUMENTS JSON documents of some bytes to some KiB, made
 * beforehand, so that the server and not this program is what takes the time.
 * What is asked and what must be answered follow from the thread's number
 * alone, so every byte of every answer is compared. Prints
 *
 *     sets S gets G hits H deletes D bytes B
 *
 * (bytes of answers); another answer, or none within a minute, is an error.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_THREADS 64
#define MAX_CONNECTIONS 16
#define N_KEYS 2000
#define N_HOT 50          /* of them; */
#define HOT_SHARE 16      /* all but one request in so many are for these */
#define N_DOCUMENTS 512
#define N_BATCH 64
#define BATCH_SIZE 32768 /* bytes of requests or of answers that end one */
#define MAX_VALUE 8192   /* of DEPTH and the widest */
#define BUFFER_SIZE (BATCH_SIZE + MAX_VALUE + 512)
#define DEPTH 3

struct text {
    size_t size;
    char bytes[BUFFER_SIZE];
};

struct load {
    pthread_t thread;
    uint32_t number; /* of the thread */
    uint32_t random;
    int sockets[MAX_CONNECTIONS];
    uint32_t versions[N_KEYS]; /* of what is set; 0 = nothing is */
    struct text requests;
    struct text expected;
    char answers[BUFFER_SIZE];
    unsigned long n_sets, n_gets, n_hits, n_deletes, n_bytes;
};

struct document {
    size_t size;
    char *text;
};

static struct load loads[MAX_THREADS];
static struct document documents[N_DOCUMENTS];
static unsigned n_connections;
static unsigned long n_requests;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

__attribute__((format(printf, 2, 3))) static void put(struct text *text,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text->size +=
        (size_t)vsnprintf(text->bytes + text->size,
                          sizeof text->bytes - text->size, format, arguments);
    va_end(arguments);
}

static void put_leaf(struct text *text, uint32_t *random)
{
    const uint32_t choice = next_random(random);

    if (choice % 4 == 0)
        put(text, "%u", choice);
    else if (choice % 4 == 1)
        put(text, "%s", choice & 16 ? "true" : "null");
    else
        put(text, "\"%.*s\"", (int)(choice / 4 % 40),
            "the quick brown fox jumps over the lazy dog");
}

static void put_value(struct text *text, uint32_t *random, int depth)
{
    const uint32_t choice = next_random(random);
    const int is_object = choice & 1;
    const uint32_t n = 1 + choice / 2 % 5;

    if (depth == 0) {
        put_leaf(text, random);
        return;
    }
    put(text, is_object ? "{" : "[");
    for (uint32_t i = 0; i < n; i++) {
        if (is_object)
            put(text, "\"field %u\":", i);
        put_value(text, random, depth - 1 - (int)(choice >> i & 1) % depth);
        if (i + 1 < n)
            put(text, ",");
    }
    put(text, is_object ? "}" : "]");
}

/* Once, before there are threads. */
static void make_documents(void)
{
    static struct text value;

    for (uint32_t i = 0; i < N_DOCUMENTS; i++) {
        uint32_t random = i * 104729u + 7919u;

        value.size = 0;
        put_value(&value, &random, DEPTH);
        documents[i].size = value.size;
        documents[i].text = malloc(value.size);
        if (!documents[i].text)
            abort();
        memcpy(documents[i].text, value.bytes, value.size);
    }
}

/* The document of a name's version. */
static const struct document *document_of(const struct load *load, uint32_t key)
{
    const uint32_t random = load->number * 7919u + key * 104729u +
                            load->versions[key] * 1299709u;

    return &documents[random % N_DOCUMENTS];
}

/* With the end of its line. */
static void put_document(struct text *text, const struct document *document)
{
    memcpy(text->bytes + text->size, document->text, document->size);
    text->size += document->size;
    put(text, "\r\n");
}

static void add_set(struct load *load, uint32_t key)
{
    const struct document *document;

    load->n_sets++;
    load->versions[key]++;
    document = document_of(load, key);
    put(&load->requests, "set %u:%u 0 0 %zu\r\n", load->number, key,
        document->size);
    put_document(&load->requests, document);
    put(&load->expected, "STORED\r\n");
}

static void add_get(struct load *load, uint32_t key)
{
    load->n_gets++;
    put(&load->requests, "get %u:%u\r\n", load->number, key);
    if (load->versions[key]) {
        const struct document *const document = document_of(load, key);

        load->n_hits++;
        put(&load->expected, "VALUE %u:%u 0 %zu\r\n", load->number, key,
            document->size);
        put_document(&load->expected, document);
    }
    put(&load->expected, "END\r\n");
}

static void add_delete(struct load *load, uint32_t key)
{
    load->n_deletes++;
    put(&load->requests, "delete %u:%u\r\n", load->number, key);
    put(&load->expected, load->versions[key] ? "DELETED\r\n" : "NOT_FOUND\r\n");
    load->versions[key] = 0;
}

static void add_request(struct load *load)
{
    const uint32_t choice = next_random(&load->random) % 10;
    const uint32_t n_keys =
        next_random(&load->random) % HOT_SHARE ? N_HOT : N_KEYS;
    const uint32_t key = next_random(&load->random) % n_keys;

    if (choice < 5)
        add_get(load, key);
    else if (choice < 9)
        add_set(load, key);
    else
        add_delete(load, key);
}

static void fail(const char *what)
{
    fprintf(stderr, "client: ");
    perror(what);
    exit(1);
}

static void send_all(int socket, const struct text *text)
{
    size_t n_sent = 0;

    while (n_sent < text->size) {
        const ssize_t n = send(socket, text->bytes + n_sent,
                               text->size - n_sent, MSG_NOSIGNAL);

        if (n <= 0)
            fail("sending");
        n_sent += (size_t)n;
    }
}

static void check_answers(struct load *load, size_t size)
{
    size_t at = 0;

    if (memcmp(load->answers, load->expected.bytes, size) == 0)
        return;
    while (at < size && load->answers[at] == load->expected.bytes[at])
        at++;
    fprintf(stderr, "client: wrong answer: %.*s\ninstead of: %.*s\n",
            (int)(size - at), load->answers + at, (int)(size - at),
            load->expected.bytes + at);
    exit(1);
}

/* What is wrong is said before the socket waits in vain for the rest. */
static void receive_all(struct load *load, int socket)
{
    size_t size = 0;

    while (size < load->expected.size) {
        const ssize_t n =
            recv(socket, load->answers + size, load->expected.size - size, 0);

        if (n <= 0)
            fail("receiving");
        size += (size_t)n;
        check_answers(load, size);
    }
    load->n_bytes += size;
}

/* How many of at most `n` requests it took. */
static unsigned long run_batch(struct load *load, int socket, unsigned long n)
{
    unsigned long n_added = 0;

    load->requests.size = load->expected.size = 0;
    while (n_added < n && n_added < N_BATCH &&
           load->requests.size < BATCH_SIZE &&
           load->expected.size < BATCH_SIZE) {
        add_request(load);
        n_added++;
    }
    send_all(socket, &load->requests);
    receive_all(load, socket);
    return n_added;
}

static void *run(void *argument)
{
    struct load *const load = argument;
    unsigned long left = n_requests;

    for (unsigned turn = 0; left; turn++)
        left -= run_batch(load, load->sockets[turn % n_connections], left);
    return NULL;
}

static int connect_to(unsigned port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct timeval minute = {60, 0};
    const int on = 1;
    const int link = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(link, (const struct sockaddr *)&address, sizeof address) != 0)
        fail("connecting");
    setsockopt(link, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute);
    setsockopt(link, SOL_SOCKET, SO_SNDTIMEO, &minute, sizeof minute);
    return link;
}

/* All connections are there, in order, before the first request: a server that
 * deals them out deals the same ones to the same thread each time. */
static void connect_all(unsigned n_threads, unsigned port)
{
    for (unsigned i = 0; i < n_threads; i++) {
        loads[i].number = loads[i].random = i + 1;
        for (unsigned k = 0; k < n_connections; k++)
            loads[i].sockets[k] = connect_to(port);
    }
}

static void run_all(unsigned n_threads)
{
    for (unsigned i = 0; i < n_threads; i++)
        if (pthread_create(&loads[i].thread, NULL, run, &loads[i]) != 0)
            fail("starting a thread");
    for (unsigned i = 0; i < n_threads; i++)
        pthread_join(loads[i].thread, NULL);
}

int main(int argc, char **argv)
{
    const unsigned n_threads = argc == 5 ? (unsigned)atoi(argv[2]) : 0;
    static struct load sum;

    n_connections = argc == 5 ? (unsigned)atoi(argv[3]) : 0;
    if (n_threads < 1 || n_threads > MAX_THREADS || n_connections < 1 ||
        n_connections > MAX_CONNECTIONS)
        return 2;
    n_requests = strtoul(argv[4], NULL, 10);
    make_documents();
    connect_all(n_threads, (unsigned)atoi(argv[1]));
    run_all(n_threads);
    for (unsigned i = 0; i < n_threads; i++) {
        sum.n_sets += loads[i].n_sets;
        sum.n_gets += loads[i].n_gets;
        sum.n_hits += loads[i].n_hits;
        sum.n_deletes += loads[i].n_deletes;
        sum.n_bytes += loads[i].n_bytes;
    }
    printf("sets %lu gets %lu hits %lu deletes %lu bytes %lu\n", sum.n_sets,
           sum.n_gets, sum.n_hits, sum.n_deletes, sum.n_bytes);
    return 0;
}
