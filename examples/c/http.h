/* As much of HTTP/1.1 as the examples need: a GET, and an answer with a Content-Length. */
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>
#include <stdint.h>

#define MOST_HEAD 8192

typedef struct {
    char head[MOST_HEAD];
    size_t head_length;
    int is_in_body;
    int status;
    uint8_t minor_version;
    uint64_t body_left;
    /* Values in `head`. */
    const char *connection, *keep_alive;
    size_t connection_length, keep_alive_length;
} http_answer;

typedef enum { HTTP_MORE, HTTP_DONE, HTTP_BAD } http_progress;

/* Writes a GET to `buffer`; its length, or 0 if it does not fit. */
size_t http_get(char *buffer, size_t size, const char *host, const char *path);

void http_begin(http_answer *answer);

/* Reads the next bytes of an answer. More bytes than belong to it are HTTP_BAD: nothing else was asked for. */
http_progress http_read(http_answer *answer, const char *bytes, size_t count);

#endif
