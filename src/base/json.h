#pragma once
/*
 * base/json: writing JSON (RFC 8259) into a buffer. Commas are put by the
 * writer. Reading is cut/json.h, which knows events.
 *
 *   struct json json; json_init(&json, &buffer);
 *   json_open(&json, '{'); json_key(&json, "id"); json_text(&json, id); json_close(&json, '}');
 */
#include "base/buffer.h"

struct json {
    struct buffer *to;
    bool comma; /* the next value needs one before it */
};

void json_init(struct json *json, struct buffer *to);
void json_open(struct json *json, char bracket);  /* '{' or '[' */
void json_close(struct json *json, char bracket); /* '}' or ']' */
void json_key(struct json *json, const char *key);
void json_key_slice(struct json *json, struct slice key);
/* Escapes what RFC 8259 wants, DEL and the line separators U+2028/9. Bytes that are not UTF-8
 * make it {"base64": "..."}, so that nothing is lost and nothing made up. */
void json_text(struct json *json, struct slice text);
void json_i64(struct json *json, int64_t n);
void json_u64(struct json *json, uint64_t n);
void json_f64(struct json *json, double n); /* shortest that reads back the same; null if not finite */
void json_bool(struct json *json, bool b);
void json_null(struct json *json);
void json_raw(struct json *json, struct slice text); /* already JSON */
void json_time(struct json *json, int64_t time_ns);  /* RFC 3339 */

/* key and value in one */
void json_put_text(struct json *json, const char *key, struct slice text);
void json_put_text_or_null(struct json *json, const char *key, struct slice text); /* empty: null */
void json_put_texts(struct json *json, const char *key, const struct slice *texts, size_t count); /* an array */
void json_put_i64(struct json *json, const char *key, int64_t n);
void json_put_bool(struct json *json, const char *key, bool b);
void json_put_time(struct json *json, const char *key, int64_t time_ns);
void json_put_time_or_null(struct json *json, const char *key, int64_t time_ns); /* 0: null */

/* Shortest decimal text that reads back as n ("0.1", "1e+300"); to holds 32 bytes. */
size_t json_format_f64(double n, char to[32]);
/* Room for base64_write(). */
#define BASE64_SIZE(bytes) (((bytes) + 2) / 3 * 4)
/* RFC 4648 section 4, with its padding, no NUL; the end of what was written. */
char *base64_write(struct slice bytes, char *to);
void buffer_put_base64(struct buffer *buffer, struct slice bytes);
/* RFC 4648 section 4, with its padding; false when it is not. */
bool buffer_put_from_base64(struct buffer *buffer, struct slice text);
