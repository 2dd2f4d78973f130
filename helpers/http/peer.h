/* The sockets of a transfer: the one to the peer of this process, and those that libcurl opens. */
#ifndef OTP_HTTP_PEER_H
#define OTP_HTTP_PEER_H

#include <curl/curl.h>

/* The peer owes us nothing during a request: any sign of it is the end. 0 or -OTP_EGONE. */
int peer_check(int peer);

/* Opens a socket for libcurl; arg is the transfer. */
curl_socket_t transfer_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address);

#endif
