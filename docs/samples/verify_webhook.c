/*
 * Checks the signature of Hinomi's webhooks; needs libsodium:  cc verify_webhook.c -lsodium
 *
 *   static struct nonces nonces;
 *   const char *why = check(secrets, 2, &nonces, header, body, body_len, time(NULL));   NULL: genuine
 *
 * X-Hinomi-Signature is v1,SECONDS,NONCE,MAC[,MAC]: MAC is HMAC-SHA256(secret, "SECONDS.NONCE." + body) in hex, a second one is
 * there while the sender changes its secret. The bytes of the body are signed as they came.
 *
 * As a program it reads lines of NOW, header and body in base64, separated by tabs, and says what each is:
 *   verify_webhook SECRET [SECRET] < lines
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_S = 300, NONCES_MAX = 4096, NONCE_LEN = 32, MAC_LEN = 64, MAC_BYTES = crypto_auth_hmacsha256_BYTES };

/* Those seen within the window. When the table is full the receiver says no rather than forget one. */
struct nonces {
    struct {
        long long at;
        char text[NONCE_LEN];
    } seen[NONCES_MAX];
    size_t count;
};

static const char *note_nonce(struct nonces *nonces, const char *nonce, long long now)
{
    size_t kept = 0;
    for (size_t i = 0; i < nonces->count; i++) {
        if (memcmp(nonces->seen[i].text, nonce, NONCE_LEN) == 0)
            return "seen before";
        if (nonces->seen[i].at >= now - 2 * WINDOW_S)
            nonces->seen[kept++] = nonces->seen[i];
    }
    nonces->count = kept;
    if (kept == NONCES_MAX)
        return "too many at a time";
    nonces->seen[kept].at = now;
    memcpy(nonces->seen[kept].text, nonce, NONCE_LEN);
    nonces->count++;
    return NULL;
}

/* The length of the hex digits at the start of text, lower case. */
static size_t hex_length(const char *text)
{
    return strspn(text, "0123456789abcdef");
}

static int is_signed(const char *secret, const char *head, size_t head_len, const unsigned char *body, size_t body_len, const char *mac)
{
    unsigned char want[MAC_BYTES], have[MAC_BYTES];
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, head_len);
    crypto_auth_hmacsha256_update(&state, body, body_len);
    crypto_auth_hmacsha256_final(&state, want);
    return sodium_hex2bin(have, sizeof(have), mac, MAC_LEN, NULL, NULL, NULL) == 0 && sodium_memcmp(want, have, MAC_BYTES) == 0;
}

const char *check(const char *const *secrets, size_t secret_count, struct nonces *nonces, const char *header, const unsigned char *body,
                  size_t body_len, long long now)
{
    static const char shape[] = "no signature of a known shape";
    char head[64];
    if (strncmp(header, "v1,", 3) != 0)
        return shape;
    const char *seconds = header + 3, *nonce = seconds + strspn(seconds, "0123456789");
    size_t digits = (size_t)(nonce - seconds);
    if (digits < 1 || digits > 12 || *nonce++ != ',' || hex_length(nonce) != NONCE_LEN || nonce[NONCE_LEN] != ',')
        return shape;
    const char *mac = nonce + NONCE_LEN + 1, *second = NULL;
    if (hex_length(mac) != MAC_LEN || (mac[MAC_LEN] != '\0' && mac[MAC_LEN] != ','))
        return shape;
    if (mac[MAC_LEN] == ',' && (hex_length(second = mac + MAC_LEN + 1) != MAC_LEN || second[MAC_LEN]))
        return shape;
    long long apart = now - atoll(seconds);
    if (apart > WINDOW_S || apart < -WINDOW_S)
        return "too old, or from the future";
    int head_len = snprintf(head, sizeof(head), "%.*s.%.*s.", (int)digits, seconds, NONCE_LEN, nonce), genuine = 0;
    for (size_t i = 0; i < secret_count; i++) {
        genuine |= is_signed(secrets[i], head, (size_t)head_len, body, body_len, mac);
        genuine |= second && is_signed(secrets[i], head, (size_t)head_len, body, body_len, second);
    }
    /* The nonce is noted last: nobody can fill the table without the secret. */
    return genuine ? note_nonce(nonces, nonce, now) : "not signed with a secret of ours";
}

int main(int argc, char **argv)
{
    static struct nonces nonces;
    static char line[1 << 20];
    static unsigned char body[1 << 20];
    if (sodium_init() < 0)
        return 1;
    while (fgets(line, sizeof(line), stdin)) {
        char *header = strchr(line, '\t'), *text = header ? strchr(header + 1, '\t') : NULL;
        size_t len = 0;
        if (!text)
            return 2;
        *header++ = *text++ = '\0';
        if (sodium_base642bin(body, sizeof(body), text, strlen(text), "\n", &len, NULL, sodium_base64_VARIANT_ORIGINAL) < 0)
            return 2;
        const char *why = check((const char *const *)argv + 1, (size_t)argc - 1, &nonces, header, body, len, atoll(line));
        puts(why ? why : "genuine");
    }
    return 0;
}
