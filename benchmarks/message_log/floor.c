/*
 * The least that any milter can cost Postfix: one loop without a thread, which answers the end of
 * each message and nothing else. Usage: floor SOCKET EVENTS
 *
 * SOCKET: unix:PATH. EVENTS: what the negotiation asks for, as in milter_protocol.py (SMFIP_*).
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { VERSION = 6, ACTIONS = 0x95, BUFFER = 1 << 18, EVENTS_AT_ONCE = 64 };

struct connection {
    int socket;
    size_t filled;
    unsigned char buffer[BUFFER];
};

static void put(unsigned char *place, uint32_t number) {
    number = htonl(number);
    memcpy(place, &number, sizeof number);
}

static uint32_t get(const unsigned char *place) {
    uint32_t number;
    memcpy(&number, place, sizeof number);
    return ntohl(number);
}

/* Answer one command; return whether the connection goes on. */
static int answer(int socket, unsigned char command, uint32_t events) {
    unsigned char offer[17] = {0, 0, 0, 13, 'O'};

    switch (command) {
    case 'O':
        put(offer + 5, VERSION);
        put(offer + 9, ACTIONS);
        put(offer + 13, events);
        return write(socket, offer, sizeof offer) == sizeof offer;
    case 'E':
        return write(socket, "\0\0\0\1c", 5) == 5;
    default:
        return command != 'Q';
    }
}

/* Take in what there is and answer each packet that is whole; return whether to go on. */
static int serve(struct connection *one, uint32_t events) {
    size_t place = 0;
    ssize_t got = read(one->socket, one->buffer + one->filled, BUFFER - one->filled);

    if (got <= 0)
        return 0;
    one->filled += got;
    while (one->filled - place >= 5 && one->filled - place >= 4 + get(one->buffer + place)) {
        if (!answer(one->socket, one->buffer[place + 4], events))
            return 0;
        place += 4 + get(one->buffer + place);
    }
    one->filled -= place;
    memmove(one->buffer, one->buffer + place, one->filled);
    return 1;
}

int main(int count, char **words) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct epoll_event wanted = {.events = EPOLLIN}, found[EVENTS_AT_ONCE];
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), poll = epoll_create1(0);

    if (count != 3 || strncmp(words[1], "unix:", 5) != 0 ||
        strlen(words[1] + 5) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: floor unix:PATH EVENTS\n");
        return 2;
    }
    strcpy(address.sun_path, words[1] + 5);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1000) ||
        epoll_ctl(poll, EPOLL_CTL_ADD, listener, &wanted)) {
        perror(words[1]);
        return 1;
    }
    for (;;) {
        int number = epoll_wait(poll, found, EVENTS_AT_ONCE, -1);
        for (int i = 0; i < number; i++) {
            struct connection *one = found[i].data.ptr;
            if (one == NULL) {
                one = calloc(1, sizeof *one);
                one->socket = accept(listener, NULL, NULL);
                wanted.data.ptr = one;
                epoll_ctl(poll, EPOLL_CTL_ADD, one->socket, &wanted);
            } else if (!serve(one, strtoul(words[2], NULL, 0))) {
                close(one->socket);
                free(one);
            }
        }
    }
}
