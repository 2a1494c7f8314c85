#pragma once
/*
 * collect/aws_sign: AWS Signature Version 4 of a request, in its Authorization header.
 *
 * Source  AWS General Reference, "Create a signed AWS API request"; for S3 the path is encoded once.
 */
#include "base/buffer.h"
#include "base/err.h"

enum { AWS_DATE_SIZE = 17, AWS_HASH_SIZE = 65 };

struct aws_request {
    const char *method;
    struct slice url;     /* with its scheme; path and query percent-encoded in any way */
    struct slice body;
    struct slice access_key, secret_key;
    struct slice session; /* token of temporary credentials, or none */
    const char *region, *service;
    int64_t time_ns;
};

/* The headers Authorization, x-amz-date and x-amz-content-sha256; the caller sends x-amz-security-token with the
 * session. Host is what the URL says. -1: the URL is none, or memory is out. */
MUST_USE int aws_sign(const struct aws_request *request, char date[AWS_DATE_SIZE], char hash[AWS_HASH_SIZE],
                      struct buffer *authorization, struct err *err);
