/* SPDX-License-Identifier: MIT */
/* See location.h. */
#include "location.h"

#include <stdio.h>
#include <string.h>

#include "name.h"

/* In less room there is the function alone. */
#define MIN_ROOM 16

void location_cut(char *place, size_t room)
{
    const size_t length = strlen(place);
    const char *rest;
    const char *slash;

    if (length <= room)
        return;
    slash = strchr(place + length - room - 1, '/');
    if (slash) {
        memmove(place, slash + 1, strlen(slash));
    } else if (room > 3) {
        rest = place + length - (room - 3);
        memmove(place + 3, rest, strlen(rest) + 1);
        memcpy(place, "...", 3);
    } else {
        place[room] = '\0';
    }
}

/* Puts file and function side by side. The function gets half of the room if
 * it needs it, and what the file leaves. */
static void join(char *place, const char *function, size_t width, size_t room,
                 char *text)
{
    char name[LOCATION_SIZE / 2];
    size_t used;

    if (room == 0) {
        snprintf(text, LOCATION_SIZE, "%-*s %s", (int)width, place, function);
        return;
    }
    if (room < MIN_ROOM) {
        name_fit(function, room, text, LOCATION_SIZE);
        return;
    }
    if (width > room / 2)
        width = room / 2;
    name_fit(function, room / 2, name, sizeof name);
    if (strlen(place) + 1 + strlen(function) > room)
        location_cut(place, room - 1 - strlen(name));
    used = strlen(place) > width ? strlen(place) : width;
    name_fit(function, room - used - 1, name, sizeof name);
    snprintf(text, LOCATION_SIZE, "%-*s %s", (int)width, place, name);
}

void location_format(const struct alloctrace_frame *frame, size_t width,
                     size_t room, char text[LOCATION_SIZE])
{
    char place[LOCATION_SIZE / 2];

    if (frame->line)
        snprintf(place, sizeof place, "%s:%u", frame->file, frame->line);
    else
        snprintf(place, sizeof place, "%s", frame->file);
    if (*frame->function) {
        join(place, frame->function, width, room, text);
        return;
    }
    if (room > 0)
        location_cut(place, room);
    snprintf(text, LOCATION_SIZE, "%s", place);
}
