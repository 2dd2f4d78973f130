#include "helpers/codes/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "common/err.h"

enum { KEY_LEN = 32, NONCE_LEN = 12, TAG_LEN = 16 };

static int
seal_key(const struct secret *host_key, unsigned char key[KEY_LEN])
{
	static const unsigned char purpose[] = "seal";
	size_t len = 0;

	if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, host_key->bytes, host_key->len, purpose,
		sizeof(purpose), key, KEY_LEN, &len) ||
	    len != KEY_LEN)
		return -OTP_ECRYPTO;
	return 0;
}

/* Writes nonce, tag and ciphertext into out. */
static int
encrypt(
    const unsigned char *key, const char *context, const struct secret *plain, unsigned char *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	unsigned char *nonce = out, *tag = out + NONCE_LEN, *text = tag + TAG_LEN;
	int n = 0, r = -OTP_ECRYPTO;

	if (c && RAND_bytes(nonce, NONCE_LEN) == 1 &&
	    EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	    EVP_EncryptUpdate(c, NULL, &n, (const unsigned char *)context, (int)strlen(context)) ==
		1 &&
	    EVP_EncryptUpdate(c, text, &n, (const unsigned char *)plain->bytes, (int)plain->len) ==
		1 &&
	    EVP_EncryptFinal_ex(c, text + n, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN, tag) == 1)
		r = 0;
	EVP_CIPHER_CTX_free(c);
	return r;
}

static int
decrypt(const unsigned char *key, const char *context, unsigned char *in, size_t len, char *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	unsigned char *nonce = in, *tag = in + NONCE_LEN, *text = tag + TAG_LEN;
	int n = 0, r = -OTP_EINVAL;

	if (c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	    EVP_DecryptUpdate(c, NULL, &n, (const unsigned char *)context, (int)strlen(context)) ==
		1 &&
	    EVP_DecryptUpdate(c, (unsigned char *)out, &n, text, (int)len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1 &&
	    EVP_DecryptFinal_ex(c, (unsigned char *)out + n, &n) == 1)
		r = 0;
	EVP_CIPHER_CTX_free(c);
	return r;
}

int
seal(
    const struct secret *host_key, const char *context, const struct secret *plain, struct buf *out)
{
	unsigned char key[KEY_LEN], room[SECRET_MAX];
	size_t len = NONCE_LEN + TAG_LEN + plain->len;
	int r = len > sizeof(room) ? -OTP_ETOOBIG : seal_key(host_key, key);

	if (!r)
		r = encrypt(key, context, plain, room);
	for (size_t i = 0; !r && i < len; i++)
		r = buf_putf(out, "%02x", room[i]);
	otp_wipe_array(key);
	otp_wipe_array(room);
	return r;
}

int
unseal(const struct secret *host_key, const char *context, const char *sealed, struct secret *plain)
{
	unsigned char key[KEY_LEN], room[SECRET_MAX];
	char text[SECRET_MAX];
	size_t len = 0;
	int r = seal_key(host_key, key);

	if (!r && (!OPENSSL_hexstr2buf_ex(room, sizeof(room), &len, sealed, '\0') ||
		      len < NONCE_LEN + TAG_LEN))
		r = -OTP_EINVAL;
	if (!r)
		r = decrypt(key, context, room, len - NONCE_LEN - TAG_LEN, text);
	if (!r)
		r = secret_set(plain, text, len - NONCE_LEN - TAG_LEN);
	otp_wipe_array(key);
	otp_wipe_array(room);
	otp_wipe_array(text);
	return r;
}
