/* The load: a provider that paces many streams, and readers that look at many, for little CPU of their own.
 *
 *     generator provider RATE EVENTS PAD    prints its port; serves until killed
 *     generator readers PORT [PATH]         obeys commands on stdin, each answered with a line of JSON
 *
 * A provider sends each stream a token at once and then RATE a second (0: no more), EVENTS of them (0: until
 * the client leaves), with PAD bytes of text in each.  A token says when it was written, in nanoseconds of
 * the clock that all processes share, and its number in its stream: "@0000012345678901:00000042 ".
 *
 * Readers send POST /v1/messages, or GET PATH, of which they may come to see the middle only, and obey
 *
 *     add STREAMS MICROSECONDS READS   opens streams so far from each other; with READS 0 nobody reads them
 *     wait SECONDS                     reads until each stream has brought a token, so long at most
 *     run SECONDS                      reads, and says what came
 *     churn TOTAL ATONCE SECONDS       leaves; opens a stream when another has ended, until TOTAL have
 *     leave                            closes all streams
 *
 * python_generator.py does the same where there is no compiler, for more than what it measures costs.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_STREAMS 60000
#define MAX_PAD 16384
#define SECOND 1000000000LL

static int poller;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * SECOND + at.tv_nsec;
}

static void watch(int operation, int fd, uint32_t events, void *owner) {
    struct epoll_event event = {.events = events, .data.ptr = owner};
    if (epoll_ctl(poller, operation, fd, &event) < 0)
        fail("epoll_ctl");
}

static int wait_until(struct epoll_event *events, int64_t end) {
    int64_t left = end - now_ns();
    struct timespec wait = {left > 0 ? left / SECOND : 0, left > 0 ? left % SECOND : 0};
    int count = epoll_pwait2(poller, events, 256, end == INT64_MAX ? NULL : &wait, NULL);
    return count < 0 ? 0 : count;
}

static void no_delay(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* ------------------------------------------------------------------------------------------ provider */

struct client {
    int fd, heap_place; /* its place in the heap; -1: not there */
    uint32_t sent;      /* tokens */
    int64_t due;
    size_t body_seen, unsent;
    char *rest; /* what the kernel had no room for */
};

static struct client **heap;
static int heap_size;
static double gap_ns;
static uint32_t events_each;
static int pad_bytes;

static void heap_put(int place, struct client *client) {
    heap[place] = client;
    client->heap_place = place;
}

static void heap_up(int place) {
    struct client *client = heap[place];
    for (; place > 0 && heap[(place - 1) / 2]->due > client->due; place = (place - 1) / 2)
        heap_put(place, heap[(place - 1) / 2]);
    heap_put(place, client);
}

static void heap_down(int place) {
    struct client *client = heap[place];
    for (int child; (child = 2 * place + 1) < heap_size; place = child) {
        if (child + 1 < heap_size && heap[child + 1]->due < heap[child]->due)
            child++;
        if (heap[child]->due >= client->due)
            break;
        heap_put(place, heap[child]);
    }
    heap_put(place, client);
}

static void schedule(struct client *client) {
    if (client->heap_place < 0)
        heap_put(heap_size++, client);
    heap_up(client->heap_place);
    heap_down(client->heap_place);
}

static void unschedule(struct client *client) {
    int place = client->heap_place;
    if (place < 0)
        return;
    client->heap_place = -1;
    if (place < --heap_size) {
        heap_put(place, heap[heap_size]);
        heap_up(place);
        heap_down(heap[place]->heap_place);
    }
}

static void drop_client(struct client *client) {
    unschedule(client);
    close(client->fd);
    free(client->rest);
    free(client);
}

#define MESSAGE "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{}}"

static int chunk(char *out, const char *type, const char *data) {
    char text[MAX_PAD + 512];
    int size = sprintf(text, "event: %s\ndata: %s\n\n", type, data);
    return sprintf(out, "%x\r\n%s\r\n", size, text);
}

/* Sends what it can; whether the client is still there. */
static int send_some(struct client *client, const char *data, size_t size) {
    ssize_t sent = send(client->fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        drop_client(client);
        return 0;
    }
    if (sent < 0)
        sent = 0;
    if ((size_t)sent < size) {
        char *rest = malloc(size - sent);
        memcpy(rest, data + sent, size - sent);
        free(client->rest);
        client->rest = rest;
        client->unsent = size - sent;
        unschedule(client);
        watch(EPOLL_CTL_MOD, client->fd, EPOLLIN | EPOLLOUT, client);
    }
    return 1;
}

static void send_token(struct client *client) {
    char out[2 * MAX_PAD], data[MAX_PAD + 256], pad[MAX_PAD + 1];
    int size = 0;
    if (client->sent == 0) {
        size += sprintf(out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        size += chunk(out + size, "message_start", "{\"type\":\"message_start\",\"message\":" MESSAGE "}");
        size += chunk(out + size, "content_block_start",
                      "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}");
    }
    memset(pad, '.', pad_bytes);
    pad[pad_bytes] = 0;
    sprintf(data,
            "{\"type\": \"content_block_delta\", \"index\": 0, \"delta\": {\"type\": \"text_delta\", "
            "\"text\": \"@%016lld:%08u %s\"}}",
            (long long)now_ns(), client->sent++, pad);
    size += chunk(out + size, "content_block_delta", data);
    int last = events_each && client->sent == events_each;
    if (last) {
        unschedule(client);
        size += chunk(out + size, "content_block_stop", "{\"type\":\"content_block_stop\",\"index\":0}");
        size += chunk(out + size, "message_delta",
                      "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":1}}");
        size += chunk(out + size, "message_stop", "{\"type\":\"message_stop\"}");
        size += sprintf(out + size, "0\r\n\r\n");
    }
    if (!send_some(client, out, size) || last || client->rest || gap_ns == 0)
        return;
    /* Streams begin in a period as far from each other as the golden ratio puts them. */
    static unsigned begun;
    if (client->sent == 1) {
        double turns = ++begun * 0.6180339887;
        client->due = now_ns() + (int64_t)(gap_ns * (1 + turns - (unsigned)turns));
    } else {
        client->due += (int64_t)gap_ns;
    }
    schedule(client);
}

static void client_ready(struct client *client, uint32_t events) {
    if (events & EPOLLOUT) {
        char *rest = client->rest;
        size_t size = client->unsent;
        client->rest = NULL;
        watch(EPOLL_CTL_MOD, client->fd, EPOLLIN, client);
        int there = send_some(client, rest, size);
        free(rest);
        if (!there)
            return;
        if (!client->rest && gap_ns && !(events_each && client->sent == events_each)) {
            client->due = now_ns(); /* what it could not take is not made up for */
            schedule(client);
        }
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        char data[65536];
        ssize_t size = recv(client->fd, data, sizeof data, 0);
        if (size <= 0) {
            if (size == 0 || errno != EAGAIN)
                drop_client(client);
        } else if (data[size - 1] == '}') /* of the JSON: the request is whole */ {
            client->sent = 0;
            send_token(client);
        }
    }
}

static void provide(double rate, int events, int pad) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct epoll_event ready[256];
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    gap_ns = rate > 0 ? SECOND / rate : 0;
    events_each = events;
    pad_bytes = pad;
    heap = calloc(MAX_STREAMS, sizeof *heap);
    if (bind(listener, (void *)&address, length) < 0 || listen(listener, 4096) < 0)
        fail("listen");
    getsockname(listener, (void *)&address, &length);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int count = wait_until(ready, heap_size ? heap[0]->due : INT64_MAX);
        for (int i = 0; i < count; i++) {
            if (ready[i].data.ptr) {
                client_ready(ready[i].data.ptr, ready[i].events);
                continue;
            }
            int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (fd < 0)
                continue;
            struct client *client = calloc(1, sizeof *client);
            client->fd = fd;
            client->heap_place = -1;
            no_delay(fd);
            /* What a server that streams sets; else Linux takes megabytes before it says that there is no room. */
            setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){16384}, sizeof(int));
            watch(EPOLL_CTL_ADD, fd, EPOLLIN, client);
        }
        for (int64_t now = now_ns(); heap_size && heap[0]->due <= now;)
            send_token(heap[0]);
    }
}

/* ------------------------------------------------------------------------------------------- readers */

enum phase { HEAD, SIZE, DATA, DATA_END, RAW, OVER };

struct stream {
    int fd, reads, refused, head_size, token_size, line_starts;
    enum phase phase;
    int64_t asked_at, first_at, last_at;
    uint64_t left; /* of a chunk */
    int64_t next;  /* the number of the next token; -1: any */
    char head[1024], token[32];
};

static struct stream *streams[MAX_STREAMS];
static int stream_count, open_count;
static int first_number; /* of each stream; -1: readers of one stream come amid it */
static struct sockaddr_in server = {.sin_family = AF_INET};
static char request[512];

/* What came, since the last command. */
#define BUCKETS (64 * 64)
static uint64_t latencies[BUCKETS]; /* by the power of two, and 64 steps in each */
static struct {
    uint64_t tokens, lost, disordered, comments, bytes, ended, cut, refused;
    int64_t largest, gap, began;
} seen;

static int bucket_of(uint64_t value) {
    if (value < 64)
        return (int)value;
    int power = 63 - __builtin_clzll(value);
    return (power - 5) * 64 + (int)((value >> (power - 6)) & 63);
}

static double bucket_value(int bucket) {
    if (bucket < 64)
        return bucket;
    int power = bucket / 64 + 5;
    return (double)((64ull + bucket % 64) << (power - 6)) + (double)(1ull << (power - 6)) / 2;
}

static double quantile(double part) {
    uint64_t rank = (uint64_t)(part * seen.tokens), sum = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((sum += latencies[i]) > rank)
            return bucket_value(i) < seen.largest ? bucket_value(i) : seen.largest;
    return seen.largest;
}

static void forget(void) {
    memset(latencies, 0, sizeof latencies);
    memset(&seen, 0, sizeof seen);
    seen.began = now_ns();
}

/* For how long the stream has brought nothing, as far as that was since the last command. */
static void see_gap(const struct stream *stream, int64_t now) {
    int64_t since = stream->last_at > seen.began ? stream->last_at : seen.began;
    if (now - since > seen.gap)
        seen.gap = now - since;
}

static void take_token(struct stream *stream, int64_t now) {
    int64_t latency = now - strtoll(stream->token + 1, NULL, 10), number = atoll(stream->token + 18);
    latencies[bucket_of(latency > 0 ? latency : 0)]++;
    seen.tokens++;
    if (latency > seen.largest)
        seen.largest = latency;
    if (stream->next >= 0 && number < stream->next)
        seen.disordered++;
    else if (stream->next >= 0)
        seen.lost += number - stream->next;
    stream->next = number + 1;
    if (!stream->first_at)
        stream->first_at = now;
    else
        see_gap(stream, now);
    stream->last_at = now;
}

/* A token is "@", 16 digits, ":", 8 digits, " ". */
static void take_content(struct stream *stream, const char *data, size_t size, int64_t now) {
    for (size_t i = 0; i < size; i++) {
        char byte = data[i];
        int place = stream->token_size;
        if (byte == '@')
            place = 0;
        else if (place == 0 || (place == 17 ? byte != ':' : place == 26 ? byte != ' ' : byte < '0' || byte > '9'))
            place = -1;
        stream->token_size = place + 1;
        if (place >= 0)
            stream->token[place] = byte;
        if (place == 26) {
            take_token(stream, now);
            stream->token_size = 0;
        }
        if (stream->line_starts && byte == ':')
            seen.comments++;
        stream->line_starts = byte == '\n';
    }
}

static void take_head(struct stream *stream, char byte) {
    if (stream->head_size < (int)sizeof stream->head - 1)
        stream->head[stream->head_size++] = byte;
    stream->head[stream->head_size] = 0;
    if (byte != '\n' || !strstr(stream->head, "\r\n\r\n"))
        return;
    stream->refused = strncmp(stream->head, "HTTP/1.1 200", 12) != 0;
    if (stream->refused)
        stream->phase = OVER;
    else
        stream->phase = strcasestr(stream->head, "\r\ntransfer-encoding: chunked") ? SIZE : RAW;
}

static void take(struct stream *stream, const char *data, size_t size, int64_t now) {
    for (size_t i = 0; i < size;) {
        char byte = data[i];
        size_t part = size - i;
        switch (stream->phase) {
        case HEAD:
            take_head(stream, byte);
            i++;
            break;
        case SIZE:
            if (byte == '\n')
                stream->phase = stream->left ? DATA : OVER;
            else if (byte != '\r')
                stream->left = stream->left * 16 + (byte <= '9' ? byte - '0' : (byte | 32) - 'a' + 10);
            i++;
            break;
        case DATA:
            if (part > stream->left)
                part = stream->left;
            take_content(stream, data + i, part, now);
            stream->left -= part;
            i += part;
            if (!stream->left)
                stream->phase = DATA_END;
            break;
        case DATA_END:
            if (byte == '\n')
                stream->phase = SIZE;
            i++;
            break;
        case RAW:
            take_content(stream, data + i, part, now);
            i = size;
            break;
        default:
            i = size;
        }
    }
}

static void close_stream(struct stream *stream) {
    if (stream->fd >= 0) {
        close(stream->fd);
        stream->fd = -1;
        open_count--;
    }
}

static void receive(struct stream *stream) {
    static char data[256 * 1024];
    ssize_t size = recv(stream->fd, data, sizeof data, 0);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size > 0) {
        seen.bytes += size;
        take(stream, data, size, now_ns());
    }
    if (size <= 0 || stream->phase == OVER) {
        if (stream->refused)
            seen.refused++;
        else if (stream->phase == OVER)
            seen.ended++;
        else
            seen.cut++;
        close_stream(stream);
    }
}

static void read_until(int64_t end) {
    struct epoll_event ready[256];
    do {
        int count = wait_until(ready, end);
        for (int i = 0; i < count; i++)
            receive(ready[i].data.ptr);
    } while (now_ns() < end);
}

static struct stream *open_stream(struct stream *stream, int reads) {
    stream = stream ? stream : malloc(sizeof *stream);
    memset(stream, 0, sizeof *stream);
    stream->line_starts = 1;
    stream->reads = reads;
    stream->next = first_number;
    stream->asked_at = now_ns();
    stream->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (!reads) /* what its kernel takes is not what is measured */
        setsockopt(stream->fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
    if (stream->fd < 0 || connect(stream->fd, (void *)&server, sizeof server) < 0)
        fail("connect");
    no_delay(stream->fd);
    if (send(stream->fd, request, strlen(request), MSG_NOSIGNAL) < 0)
        fail("send");
    fcntl(stream->fd, F_SETFL, O_NONBLOCK);
    if (reads)
        watch(EPOLL_CTL_ADD, stream->fd, EPOLLIN, stream);
    open_count++;
    return stream;
}

static int waiting_for_first(void) {
    int waiting = 0;
    for (int i = 0; i < stream_count; i++)
        waiting += streams[i]->reads && !streams[i]->first_at && streams[i]->fd >= 0;
    return waiting;
}

static int by_value(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static double median_first(void) {
    static double firsts[MAX_STREAMS];
    int count = 0;
    for (int i = 0; i < stream_count; i++)
        if (streams[i]->first_at)
            firsts[count++] = streams[i]->first_at - streams[i]->asked_at;
    qsort(firsts, count, sizeof *firsts, by_value);
    return count ? firsts[count / 2] : 0;
}

static void leave(void) {
    for (int i = 0; i < stream_count; i++) {
        close_stream(streams[i]);
        free(streams[i]);
    }
    stream_count = 0;
}

static void churn(int total, int at_once, double seconds) {
    int begun = 0;
    int64_t end = now_ns() + (int64_t)(seconds * SECOND);
    struct epoll_event ready[256];
    leave();
    while (begun < total && stream_count < at_once) {
        streams[stream_count++] = open_stream(NULL, 1);
        begun++;
    }
    while (open_count && now_ns() < end) {
        int count = wait_until(ready, end);
        for (int i = 0; i < count; i++) {
            struct stream *stream = ready[i].data.ptr;
            receive(stream);
            if (stream->fd < 0 && begun < total) {
                open_stream(stream, 1);
                begun++;
            }
        }
    }
}

static void report(void) {
    struct rusage used;
    int64_t now = now_ns();
    for (int i = 0; i < stream_count; i++)
        if (streams[i]->reads && streams[i]->fd >= 0)
            see_gap(streams[i], now);
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"tokens\": %llu, \"lost\": %llu, \"disordered\": %llu, \"comments\": %llu, \"bytes\": %llu, "
           "\"ended\": %llu, \"cut\": %llu, \"refused\": %llu, \"open\": %d, \"waiting\": %d, \"seconds\": %.6f, "
           "\"p50\": %.3f, \"p99\": %.3f, \"p999\": %.3f, \"max\": %.3f, \"gap\": %.3f, \"first\": %.3f, "
           "\"own_cpu\": %.6f}\n",
           (unsigned long long)seen.tokens, (unsigned long long)seen.lost, (unsigned long long)seen.disordered,
           (unsigned long long)seen.comments, (unsigned long long)seen.bytes, (unsigned long long)seen.ended,
           (unsigned long long)seen.cut, (unsigned long long)seen.refused, open_count, waiting_for_first(),
           (now - seen.began) / 1e9, quantile(0.5) / 1e3, quantile(0.99) / 1e3, quantile(0.999) / 1e3,
           seen.largest / 1e3, seen.gap / 1e3, median_first() / 1e3, cpu);
    fflush(stdout);
}

static void read_streams(int port, const char *path) {
    const char *body = "{\"model\":\"m\",\"max_tokens\":1,\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}";
    char line[256];
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons(port);
    first_number = path ? -1 : 0;
    if (path)
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
    else
        snprintf(request, sizeof request,
                 "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
    forget();
    while (fgets(line, sizeof line, stdin)) {
        int one = 0, two = 0, three = 1;
        double seconds = 0;
        forget();
        if (sscanf(line, "add %d %d %d", &one, &two, &three) >= 2)
            for (int i = 0; i < one && stream_count < MAX_STREAMS; i++) {
                streams[stream_count++] = open_stream(NULL, three);
                read_until(now_ns() + two * 1000LL);
            }
        else if (sscanf(line, "wait %lf", &seconds) == 1)
            for (int64_t end = now_ns() + (int64_t)(seconds * SECOND); waiting_for_first() && now_ns() < end;)
                read_until(now_ns() + SECOND / 20);
        else if (sscanf(line, "run %lf", &seconds) == 1)
            read_until(now_ns() + (int64_t)(seconds * SECOND));
        else if (sscanf(line, "churn %d %d %lf", &one, &two, &seconds) == 3)
            churn(one, two, seconds);
        else if (strncmp(line, "leave", 5) == 0)
            leave();
        report();
    }
}

int main(int count, char **words) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(0);
    if (count == 5 && strcmp(words[1], "provider") == 0 && atoi(words[4]) < MAX_PAD)
        provide(atof(words[2]), atoi(words[3]), atoi(words[4]));
    else if (count >= 3 && strcmp(words[1], "readers") == 0)
        read_streams(atoi(words[2]), count > 3 ? words[3] : NULL);
    else
        fprintf(stderr, "usage: generator provider RATE EVENTS PAD | generator readers PORT [PATH]\n");
    return 1;
}
