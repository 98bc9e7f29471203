#include "setting.h"

#include "sysctls.inc"

const size_t settings_count = sizeof(settings) / sizeof(settings[0]);
