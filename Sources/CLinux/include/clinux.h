#ifndef TALLY_CLINUX_H
#define TALLY_CLINUX_H
#include <stdint.h>
#endif
