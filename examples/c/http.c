#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t http_get(char *buffer, size_t size, const char *host, const char *path) {
    int length = snprintf(buffer, size, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
    return length > 0 && (size_t)length < size ? (size_t)length : 0;
}

void http_begin(http_answer *answer) { memset(answer, 0, sizeof *answer); }

static const char *value_of(const char *line, const char *end, const char *name, size_t *length) {
    size_t name_length = strlen(name);
    if ((size_t)(end - line) <= name_length || strncasecmp(line, name, name_length) != 0 || line[name_length] != ':')
        return NULL;
    const char *value = line + name_length + 1;
    while (value < end && (*value == ' ' || *value == '\t')) value++;
    *length = (size_t)(end - value);
    return value;
}

static http_progress read_head(http_answer *answer) {
    int minor;
    if (sscanf(answer->head, "HTTP/1.%d %d", &minor, &answer->status) != 2 || (minor != 0 && minor != 1)) return HTTP_BAD;
    answer->minor_version = (uint8_t)minor;
    int has_length = 0;
    char *line = strstr(answer->head, "\r\n");
    for (line += 2; strncmp(line, "\r\n", 2) != 0;) {
        char *end = strstr(line, "\r\n");
        const char *value;
        size_t length;
        if ((value = value_of(line, end, "Content-Length", &length)) != NULL) {
            answer->body_left = strtoull(value, NULL, 10);
            has_length = 1;
        } else if ((value = value_of(line, end, "Connection", &length)) != NULL) {
            answer->connection = value;
            answer->connection_length = length;
        } else if ((value = value_of(line, end, "Keep-Alive", &length)) != NULL) {
            answer->keep_alive = value;
            answer->keep_alive_length = length;
        }
        line = end + 2;
    }
    answer->is_in_body = 1;
    return has_length ? HTTP_MORE : HTTP_BAD;
}

http_progress http_read(http_answer *answer, const char *bytes, size_t count) {
    while (count > 0 && !answer->is_in_body) {
        if (answer->head_length + 1 == MOST_HEAD) return HTTP_BAD;
        answer->head[answer->head_length++] = *bytes++;
        count--;
        if (answer->head_length >= 4 && memcmp(answer->head + answer->head_length - 4, "\r\n\r\n", 4) == 0 &&
            read_head(answer) == HTTP_BAD)
            return HTTP_BAD;
    }
    if (!answer->is_in_body) return HTTP_MORE;
    if (count > answer->body_left) return HTTP_BAD;
    answer->body_left -= count;
    return answer->body_left == 0 ? HTTP_DONE : HTTP_MORE;
}
