/* The sockets of a transfer: the one to the peer, and those that libcurl opens. */
#ifndef OTP_HTTP_PEER_H
#define OTP_HTTP_PEER_H

#include <curl/curl.h>

/*
 * Checks that the peer is silent, because it has nothing to send during a request. 0 if it is, or
 * if peer is -1; -OTP_EGONE if it hung up or sent something.
 */
int peer_check(int peer);

/* A callback of libcurl that opens a socket; arg is the struct transfer. */
curl_socket_t transfer_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address);

#endif
