/* SPDX-License-Identifier: MIT */
/*
 * A server whose work is allocating: it keeps JSON documents by name.
 *
 *     server PORT THREADS        on 127.0.0.1, until `shutdown` or SIGTERM
 *
 * It speaks a part of memcached's protocol: set, get, delete, version, quit,
 * shutdown. `set` parses the document into a tree of small blocks (document.c),
 * which takes the place of the one of that name; `get` prints it into a block
 * of its own. So each request makes some dozens of blocks, keeps some, and
 * frees what another request, often of another thread, has made.
 *
 * The main thread hands connections to its workers in turn; each waits for its
 * own ones. Names are spread over buckets, buckets over locks; documents are
 * parsed and freed without a lock, printed under one. Sockets block: a client
 * sends no more than the sockets' buffers hold before it reads the answers.
 * What is allocated does not depend on how requests were cut into packets.
 */
#define _GNU_SOURCE /* memmem */
#include "document.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_THREADS 64
#define N_BUCKETS 16384
#define N_LOCKS 64
#define MAX_LINE 300
#define MAX_WORDS 5
#define BUFFER_SIZE 65536 /* of a connection; a longer request ends it */
#define N_EVENTS 16

/* A document and its name; in the list of its bucket. */
struct entry {
    struct entry *next;
    char *name;
    struct value *document;
};

/* The words of a line. */
struct request {
    unsigned n_words;
    char *words[MAX_WORDS]; /* NULL behind the last one */
};

struct connection {
    struct connection *next; /* of the same worker */
    int socket;
    size_t n_in;  /* bytes that came and were not looked at */
    size_t n_out; /* bytes of answers that were not sent */
    char in[BUFFER_SIZE];
    char out[BUFFER_SIZE];
};

struct worker {
    pthread_t thread;
    int events;           /* epoll's */
    pthread_mutex_t lock; /* of `connections` */
    struct connection *connections;
};

static struct entry *buckets[N_BUCKETS];
static pthread_mutex_t locks[N_LOCKS]; /* of each N_LOCKS-th bucket */
static struct worker workers[MAX_THREADS];
static int listener;
static int end; /* an eventfd: the workers shall end */

static uint32_t bucket_of(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash % N_BUCKETS;
}

/* Where the entry of that name hangs, or would. Under the bucket's lock. */
static struct entry **find(uint32_t bucket, const char *name)
{
    struct entry **at = &buckets[bucket];

    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

/* Takes the document over. */
static void keep(const char *name, struct value *document)
{
    const uint32_t bucket = bucket_of(name);
    struct value *old = NULL;
    struct entry **at;

    pthread_mutex_lock(&locks[bucket % N_LOCKS]);
    at = find(bucket, name);
    if (*at) {
        old = (*at)->document;
        (*at)->document = document;
    } else {
        *at = take(sizeof **at);
        **at = (struct entry){NULL, take_copy(name, strlen(name)), document};
    }
    pthread_mutex_unlock(&locks[bucket % N_LOCKS]);
    document_free(old);
}

/* The document's text; NULL if there is none. The caller frees it. */
static char *print(const char *name, size_t *size)
{
    const uint32_t bucket = bucket_of(name);
    struct entry *entry;
    char *text;

    pthread_mutex_lock(&locks[bucket % N_LOCKS]);
    entry = *find(bucket, name);
    text = entry ? document_print(entry->document, size) : NULL;
    pthread_mutex_unlock(&locks[bucket % N_LOCKS]);
    return text;
}

/* Was there one? */
static int drop(const char *name)
{
    const uint32_t bucket = bucket_of(name);
    struct entry **at;
    struct entry *entry;

    pthread_mutex_lock(&locks[bucket % N_LOCKS]);
    at = find(bucket, name);
    entry = *at;
    if (entry)
        *at = entry->next;
    pthread_mutex_unlock(&locks[bucket % N_LOCKS]);
    if (!entry)
        return 0;
    document_free(entry->document);
    free(entry->name);
    free(entry);
    return 1;
}

/* 0 = the client is gone. */
static int flush(struct connection *connection)
{
    size_t n_sent = 0;

    while (n_sent < connection->n_out) {
        const ssize_t n = send(connection->socket, connection->out + n_sent,
                               connection->n_out - n_sent, MSG_NOSIGNAL);

        if (n <= 0)
            return 0;
        n_sent += (size_t)n;
    }
    connection->n_out = 0;
    return 1;
}

static int answer(struct connection *connection, const char *text, size_t size)
{
    if (size > sizeof connection->out - connection->n_out &&
        (!flush(connection) || size > sizeof connection->out))
        return 0;
    memcpy(connection->out + connection->n_out, text, size);
    connection->n_out += size;
    return 1;
}

static int answer_line(struct connection *connection, const char *line)
{
    return answer(connection, line, strlen(line)) &&
           answer(connection, "\r\n", 2);
}

static int answer_get(struct connection *connection, const char *name)
{
    char head[MAX_LINE + 64];
    size_t size;
    char *const text = print(name, &size);
    int is_sent = 1;

    if (text) {
        snprintf(head, sizeof head, "VALUE %s 0 %zu", name, size);
        is_sent = answer_line(connection, head) &&
                  answer(connection, text, size) &&
                  answer(connection, "\r\n", 2);
        free(text);
    }
    return is_sent && answer_line(connection, "END");
}

static int answer_set(struct connection *connection, const char *name,
                      const char *text, size_t size)
{
    struct value *const document = document_parse(text, size);

    if (!document)
        return answer_line(connection, "CLIENT_ERROR bad data chunk");
    keep(name, document);
    return answer_line(connection, "STORED");
}

static void request_free(struct request *request)
{
    for (unsigned i = 0; i < request->n_words; i++)
        free(request->words[i]);
    free(request);
}

/* A request's line, each word a block of its own; too many words are cut. */
static struct request *request_parse(const char *line, size_t size)
{
    struct request *const request = take(sizeof *request);
    const char *const line_end = line + size;

    memset(request, 0, sizeof *request);
    while (line < line_end && request->n_words < MAX_WORDS) {
        const char *const space = memchr(line, ' ', (size_t)(line_end - line));
        const char *const word_end = space ? space : line_end;

        request->words[request->n_words++] =
            take_copy(line, (size_t)(word_end - line));
        line = word_end + 1;
    }
    return request;
}

static int is_request(const struct request *request, const char *verb,
                      unsigned n_words)
{
    return request->n_words == n_words && strcmp(request->words[0], verb) == 0;
}

/* 0 = the connection shall end. */
static int answer_request(struct connection *connection,
                          const struct request *request, const char *data,
                          size_t n_data)
{
    const char *const name = request->words[1];

    if (is_request(request, "set", 5))
        return answer_set(connection, name, data, n_data);
    if (is_request(request, "get", 2))
        return answer_get(connection, name);
    if (is_request(request, "delete", 2))
        return answer_line(connection, drop(name) ? "DELETED" : "NOT_FOUND");
    if (is_request(request, "version", 1))
        return answer_line(connection, "VERSION 1");
    if (is_request(request, "quit", 1))
        return 0;
    if (is_request(request, "shutdown", 1)) {
        shutdown(listener, SHUT_RDWR); /* accept returns */
        return 0;
    }
    return answer_line(connection, "ERROR");
}

static int takes_data(const char *line, size_t size)
{
    return size >= 4 && memcmp(line, "set ", 4) == 0;
}

/* The last word of a line that takes data says of how many bytes. */
static size_t count_data(const char *line, size_t size)
{
    return strtoul((const char *)memrchr(line, ' ', size) + 1, NULL, 10);
}

/*
 * Answers the request at the beginning of `text`. Returns how many bytes it
 * takes, 0 if it has not come as a whole, and -1 if the connection shall end.
 */
static long serve(struct connection *connection, const char *text, size_t size)
{
    const char *const line_end = memmem(text, size, "\r\n", 2);
    const size_t n_line = line_end ? (size_t)(line_end - text) : size;
    struct request *request;
    size_t n_data = 0;
    size_t n_all = n_line + 2;
    int goes_on;

    if (n_line > MAX_LINE)
        return -1;
    if (!line_end)
        return 0;
    if (takes_data(text, n_line)) {
        n_data = count_data(text, n_line);
        if (n_data > BUFFER_SIZE)
            return -1;
        n_all += n_data + 2;
    }
    if (size < n_all)
        return 0;
    request = request_parse(text, n_line);
    goes_on = answer_request(connection, request, line_end + 2, n_data);
    request_free(request);
    return goes_on ? (long)n_all : -1;
}

/* Answers all requests that are there. 0 = it shall end. */
static int serve_all(struct connection *connection)
{
    size_t at = 0;

    for (;;) {
        const long n =
            serve(connection, connection->in + at, connection->n_in - at);

        if (n < 0)
            return flush(connection) && 0;
        if (n == 0)
            break;
        at += (size_t)n;
    }
    connection->n_in -= at;
    memmove(connection->in, connection->in + at, connection->n_in);
    return flush(connection) && connection->n_in < sizeof connection->in;
}

static int receive(struct connection *connection)
{
    const ssize_t n =
        recv(connection->socket, connection->in + connection->n_in,
             sizeof connection->in - connection->n_in, 0);

    if (n <= 0)
        return 0;
    connection->n_in += (size_t)n;
    return serve_all(connection);
}

/* By the main thread. */
static void open_connection(struct worker *worker, int socket)
{
    struct connection *const connection = take(sizeof *connection);
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = connection}};

    connection->socket = socket;
    connection->n_in = connection->n_out = 0;
    pthread_mutex_lock(&worker->lock);
    connection->next = worker->connections;
    worker->connections = connection;
    pthread_mutex_unlock(&worker->lock);
    epoll_ctl(worker->events, EPOLL_CTL_ADD, socket, &event);
}

static void close_connection(struct worker *worker,
                             struct connection *connection)
{
    struct connection **at = &worker->connections;

    pthread_mutex_lock(&worker->lock);
    while (*at != connection)
        at = &(*at)->next;
    *at = connection->next;
    pthread_mutex_unlock(&worker->lock);
    close(connection->socket);
    free(connection);
}

/* The event of `end` has no connection. */
static void *work(void *argument)
{
    struct worker *const worker = argument;
    struct epoll_event events[N_EVENTS];

    for (;;) {
        const int n = epoll_wait(worker->events, events, N_EVENTS, -1);

        for (int i = 0; i < n; i++) {
            struct connection *const connection = events[i].data.ptr;

            if (!connection)
                return NULL;
            if (!receive(connection))
                close_connection(worker, connection);
        }
    }
}

static void start(struct worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN};

    pthread_mutex_init(&worker->lock, NULL);
    worker->events = epoll_create1(0);
    epoll_ctl(worker->events, EPOLL_CTL_ADD, end, &event);
    if (pthread_create(&worker->thread, NULL, work, worker) != 0)
        abort();
}

/* Did it work? */
static int listen_at(unsigned port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int on = 1;

    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(listener, (const struct sockaddr *)&address, sizeof address) ==
               0 &&
           listen(listener, 64) == 0;
}

/* Hands connections out until the listener is shut down. */
static void accept_all(unsigned n_threads)
{
    const int on = 1;

    for (unsigned i = 0;; i++) {
        const int socket = accept(listener, NULL, NULL);

        if (socket < 0)
            return;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        open_connection(&workers[i % n_threads], socket);
    }
}

static void handle_signal(int number)
{
    (void)number;
    shutdown(listener, SHUT_RDWR);
}

/* What is kept stays kept: what a server holds when it ends is what one looks
 * for. */
int main(int argc, char **argv)
{
    const unsigned n_threads = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
    const uint64_t one = 1;

    if (n_threads < 1 || n_threads > MAX_THREADS)
        return 2;
    if (!listen_at((unsigned)atoi(argv[1]))) {
        perror("server");
        return 1;
    }
    for (unsigned i = 0; i < N_LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
    end = eventfd(0, 0);
    for (unsigned i = 0; i < n_threads; i++)
        start(&workers[i]);
    signal(SIGTERM, handle_signal);
    accept_all(n_threads);
    if (write(end, &one, sizeof one) != sizeof one)
        return 3;
    for (unsigned i = 0; i < n_threads; i++)
        pthread_join(workers[i].thread, NULL);
    return 0;
}
