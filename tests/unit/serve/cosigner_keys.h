#pragma once
/* A pair of keys for tests only. */

static const char TEST_PRIVATE_KEY[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCnvwUKxgqKSTJx\n"
    "iaskDjx7ycBFhBN3fWE7K09fnxEsXAOA4oSGAw0r44QnLsBiMtr6gymS8xJ4b9fT\n"
    "36GcPf0OxV7mXtB4HcWzRSzuMCMLz7J041XU0wqbH2DDanhyJ2pS7w6lnN7wlc1e\n"
    "SKjImNXYlmQBPk3Go5HBn1IiJUPZXNbNbPEFr0d9BTZp5ZKo4ZlsF5e5IVCVMOeM\n"
    "1444HVTwqslcTnKpgZoYK/7IFiMd5ten3EoNlA1+M3V5QtXlK/XgCWkqvd3Rf4ga\n"
    "gmUDjhp6Zsmc0gtlgKq9uloyg8GeVkVP34G5n+irFgE5wqz+WX2LP6Q2assovZgB\n"
    "RBsKaSDlAgMBAAECggEAJVXILwIuFWI+RnPwMemzP5ADadWAKa+vxOYaV/uE7H0c\n"
    "UILaISOrulF8t+XZbuHHyEsKJUlRmpm2DVOwWiCX4sI+IYMH3jwuJPzoB6mSG05i\n"
    "d06j62b/bNA6jrPzU+D+8q9/cI/uNNj6qRn96wvNSNQMNRSjZetBBTnLI4tswwNg\n"
    "9vdHVHW0IU1WeOZiHNMcb24BQKqKIvR8TgNNj0lxbxEo6KhYD6g1Z6n4euf/+WGA\n"
    "YM7050owkttdRn8+u1a0/nO/8dNDDMUQgeYjjj1bDXFV/lqpAkta42KETulfW4eD\n"
    "/y99wy//N1BHXUXzpoq56ESZ6rJjm70bNT7mb3UpfwKBgQDZh90BAKyxyv2ki1J7\n"
    "aogZ0M/trKYijX1ZvQL7UWLDjEd6oe/dIX4/gfdWad0c4bT2oYdqvS83cobQYAm5\n"
    "CL+FV6lizC1kVkwYWqiWYN0HrRtBfgzlxqGL3F/Nj1sYtsANYrRwFSpaySU2T8hk\n"
    "XHEh2bLFNiExidjOfkZv9GuWKwKBgQDFaUpuuJYB1SPNv1rVIJR/pBUiG8nw5uE9\n"
    "90psiwuIfm5h3riJBI4o0xlodc1asupbNKiuTwy1dBwNkfYTHnnTIyPCI/6q2aWU\n"
    "dzTylL2Zb2bnHhm5n+ITHgTCXo9Dj6cBSczDKY60rCYC5inmRVt9fLJmSKJLeZYe\n"
    "Ovz4zUktLwKBgHweS3nQ+riPjF4gqLWGuZWRUbLZegnpFYbolBT2ARZ2qipMz+Iq\n"
    "xDBUZd5GlUVve6Pl0rCStag7jrTCt4l+dlkNBbc7rQK9Qrn6sIrtRfClUxHxbEaH\n"
    "KZH18iwGCgJ18+svUKlLSll2v+bXaw3ouRyJbLmeAx6S+sQHxQUIP4L1AoGBALEx\n"
    "fg79/h9s+fMuxFAzKzeaxyFTgiKKiji9o/7jm5mLqnaMnGTYQuXf/Zlmy8mSeIsf\n"
    "LB0xdT3WF2wSzKaCn2Tl0K3s8yTVsSsfCNaIrdpwRRRET2DvYtQ4CJuSltNUuNmO\n"
    "LY4r2hzPvFqzz34SWTm82MC4h3xpiVZfKjwEv58fAoGBAJxYypUV+UGH+IRx/e32\n"
    "cWwlBZJ7C67vZ4O0rkW4Mn4pvDXvuOClfdJyOIOwGsFlt+m3T7QIVMztO0ZOuJSk\n"
    "jWiLrqASsAn4oqLX/VMdtWWLcVIE3haphxzfC9fUtDvLRJYxbn9sgF4ZnffkILUx\n"
    "sOaXk0CKrYCc4mz0+Y2ljnRb\n"
    "-----END PRIVATE KEY-----\n";

static const char TEST_PUBLIC_KEY[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAp78FCsYKikkycYmrJA48\n"
    "e8nARYQTd31hOytPX58RLFwDgOKEhgMNK+OEJy7AYjLa+oMpkvMSeG/X09+hnD39\n"
    "DsVe5l7QeB3Fs0Us7jAjC8+ydONV1NMKmx9gw2p4cidqUu8OpZze8JXNXkioyJjV\n"
    "2JZkAT5NxqORwZ9SIiVD2VzWzWzxBa9HfQU2aeWSqOGZbBeXuSFQlTDnjNeOOB1U\n"
    "8KrJXE5yqYGaGCv+yBYjHebXp9xKDZQNfjN1eULV5Sv14AlpKr3d0X+IGoJlA44a\n"
    "embJnNILZYCqvbpaMoPBnlZFT9+BuZ/oqxYBOcKs/ll9iz+kNmrLKL2YAUQbCmkg\n"
    "5QIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
