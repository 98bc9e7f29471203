/*
 * nice: the priority of the threads that carry media: switchd takes it, switch-tune shows and checks it.
 */
#pragma once

/* As /proc/PID/comm and /proc/PID/task/TID/comm have them. */
#define NICE_PROGRAM "switchd"
#define NICE_MEDIA   "media"

/* Packets that are late are lost: before all else but real time, which can stop a machine. */
enum { NICE_OF_MEDIA = -11 };
