/* A stand-in for libnvidia-ml.so.1 with NVML's own ABI, steered by a file that a test rewrites while it runs.

   The file is named by NVML_STUB; a line is "key value"; the keys of a card begin with its index: "1.power 250000".
   There is no value in here: a call whose key is missing answers NVML_ERROR_NOT_SUPPORTED, as a card does that lacks
   it. Layouts and symbol suffixes are those of NVIDIA's nvml.h; DRIVER says which release's symbols there are.
   It needs no system header or library to be linked with: it is loaded into a process that has a C library. */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef DRIVER
#define DRIVER 555
#endif

enum {
    SUCCESS = 0,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7,
    TIMEOUT = 10,
    GPU_IS_LOST = 15,
};

typedef unsigned long long u64;
typedef struct { int index, registered; } *Device;
typedef struct { u64 total, free, used; } Memory;
typedef struct { unsigned int gpu, memory; } Utilization;
typedef struct { unsigned int pid; u64 usedGpuMemory; unsigned int gpuInstanceId, computeInstanceId; } ProcessInfo;
typedef struct { unsigned int pid; u64 timeStamp; unsigned int smUtil, memUtil, encUtil, decUtil; } ProcessSample;
typedef struct {
    Device device;
    u64 eventType, eventData;
    unsigned int gpuInstanceId, computeInstanceId;
} EventData;

#define XID_EVENT 8ULL
#define CARDS 8
static struct { int index, registered; } cards[CARDS];
static int delivered; /* Xids of the list that have been handed out */

/* The value of a key; 0: there is none. */
static int text(const char *key, char *out, size_t size) {
    const char *path = getenv("NVML_STUB");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[1024];
    size_t length = strlen(key);
    int found = 0;
    while (file && !found && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, length) || line[length] != ' ') continue;
        line[strcspn(line, "\n")] = 0;
        strncpy(out, line + length + 1, size - 1);
        out[size - 1] = 0;
        found = 1;
    }
    if (file) fclose(file);
    return found;
}

static int number(const char *key, u64 *out) {
    char value[64];
    if (!text(key, value, sizeof value)) return NOT_SUPPORTED;
    *out = strtoull(value, NULL, 0);
    return SUCCESS;
}

static int code(const char *key) {
    u64 value = SUCCESS;
    number(key, &value);
    return (int)value;
}

/* "1.power": a card's key; whatever it is asked, a card answers with its status where that is an error. */
static int key_of(Device device, const char *what, char *key) {
    if (!device || device->index < 0 || device->index >= CARDS) return INVALID_ARGUMENT;
    snprintf(key, 64, "%d.status", device->index);
    int status = code(key);
    snprintf(key, 64, "%d.%s", device->index, what);
    return status;
}

static int card_number(Device device, const char *what, u64 *out) {
    char key[64];
    int status = key_of(device, what, key);
    return status ? status : number(key, out);
}

static int card_uint(Device device, const char *what, unsigned int *out) {
    u64 value;
    int status = card_number(device, what, &value);
    if (!status) *out = (unsigned int)value;
    return status;
}

static int card_text(Device device, const char *what, char *out, size_t size) {
    char key[64];
    int status = key_of(device, what, key);
    return status ? status : text(key, out, size) ? SUCCESS : NOT_SUPPORTED;
}

int nvmlInitWithFlags(unsigned int flags) { (void)flags; return code("init"); }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int status) { (void)status; return "an error of the stub"; }

int nvmlSystemGetDriverVersion(char *out, unsigned int size) {
    return text("driver", out, size) ? SUCCESS : NOT_SUPPORTED;
}

int nvmlDeviceGetCount_v2(unsigned int *count) {
    u64 value;
    int status = number("count", &value);
    if (!status) *count = (unsigned int)value;
    return status;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, Device *device) {
    if (index >= CARDS) return INVALID_ARGUMENT;
    cards[index].index = (int)index;
    *device = (Device)&cards[index];
    char key[64];
    return key_of(*device, "", key);
}

int nvmlDeviceGetName(Device device, char *out, unsigned int size) { return card_text(device, "name", out, size); }
int nvmlDeviceGetUUID(Device device, char *out, unsigned int size) { return card_text(device, "uuid", out, size); }

/* Hangs for as long as the file says so: what a card does that is about to fall off its bus. */
int nvmlDeviceGetUtilizationRates(Device device, Utilization *out) {
    while (code("hang")) usleep(10000);
    int status = card_uint(device, "busy", &out->gpu);
    out->memory = 0;
    return status;
}

int nvmlDeviceGetMemoryInfo(Device device, Memory *out) {
    int status = card_number(device, "memory", &out->used);
    if (!status) status = card_number(device, "memory_total", &out->total);
    if (!status) out->free = out->total - out->used;
    return status;
}

int nvmlDeviceGetPowerUsage(Device device, unsigned int *out) { return card_uint(device, "power", out); }

int nvmlDeviceGetClockInfo(Device device, int type, unsigned int *out) {
    return type == 1 ? card_uint(device, "clock", out) : NOT_SUPPORTED; /* NVML_CLOCK_SM */
}

int nvmlDeviceGetTotalEccErrors(Device device, int error, int counter, u64 *out) {
    return error == 1 && counter == 0 ? card_number(device, "ecc", out) : NOT_SUPPORTED; /* uncorrected, volatile */
}

int nvmlDeviceGetCurrentClocksThrottleReasons(Device device, u64 *out) { return card_number(device, "reasons", out); }
#if DRIVER >= 535
int nvmlDeviceGetCurrentClocksEventReasons(Device device, u64 *out) { return card_number(device, "reasons", out); }
#endif

/* "4711:1000,4712:-": pid and bytes; "-" is NVML_VALUE_NOT_AVAILABLE. */
__attribute__((unused)) static int processes(Device device, unsigned int *count, ProcessInfo *out) {
    char value[512];
    int status = card_text(device, "processes", value, sizeof value);
    if (status) return status;
    unsigned int room = *count, n = 0;
    for (char *entry = value; *entry; n++) {
        char *end;
        ProcessInfo info = {(unsigned int)strtoul(entry, &end, 10), ~0ULL, ~0U, ~0U};
        if (end[1] != '-') info.usedGpuMemory = strtoull(end + 1, &end, 10);
        else end += 2;
        if (out && n < room) out[n] = info;
        entry = *end ? end + 1 : end;
    }
    *count = n;
    return n > room ? INSUFFICIENT_SIZE : SUCCESS;
}
#if DRIVER >= 450
int nvmlDeviceGetComputeRunningProcesses_v2(Device d, unsigned int *n, ProcessInfo *out) { return processes(d, n, out); }
#endif
#if DRIVER >= 510
int nvmlDeviceGetComputeRunningProcesses_v3(Device d, unsigned int *n, ProcessInfo *out) { return processes(d, n, out); }
#endif

/* "4711:37@1000": pid, percent, time; those after the time last seen, of which none is NOT_FOUND, unless the file
   says "samples_end 0": other drivers then answer SUCCESS with a count of none. */
int nvmlDeviceGetProcessUtilization(Device device, ProcessSample *out, unsigned int *count, u64 last) {
    char value[512];
    int status = card_text(device, "samples", value, sizeof value);
    if (status) return status;
    unsigned int room = out ? *count : 0, n = 0;
    for (char *entry = value; *entry;) {
        char *end;
        ProcessSample sample = {.pid = (unsigned int)strtoul(entry, &end, 10)};
        sample.smUtil = (unsigned int)strtoul(end + 1, &end, 10);
        sample.timeStamp = strtoull(end + 1, &end, 10);
        if (sample.timeStamp > last) {
            if (n < room) out[n] = sample;
            n++;
        }
        entry = *end ? end + 1 : end;
    }
    *count = n;
    u64 none = NOT_FOUND;
    number("samples_end", &none);
    return !n ? (int)none : n > room ? INSUFFICIENT_SIZE : SUCCESS;
}

int nvmlEventSetCreate(void **set) {
    *set = cards;
    return code("events");
}

int nvmlEventSetFree(void *set) { return set == cards ? SUCCESS : INVALID_ARGUMENT; }

int nvmlDeviceGetSupportedEventTypes(Device device, u64 *out) { return card_number(device, "event_types", out); }

/* As NVML: a type that the card does not support is refused. */
int nvmlDeviceRegisterEvents(Device device, u64 types, void *set) {
    u64 supported = 0;
    int status = card_number(device, "event_types", &supported);
    if (status) return status;
    if (set != cards || !types) return INVALID_ARGUMENT;
    if (types & ~supported) return NOT_SUPPORTED;
    device->registered = (int)types;
    return SUCCESS;
}

/* The n-th of "0:79,1:31": card and Xid; "1:0x4000!" is an event of another type. */
static int event(int n, EventData *out) {
    char value[256];
    char *entry = value;
    if (!text("xids", value, sizeof value)) return 0;
    for (; n > 0 && entry; n--) entry = (entry = strchr(entry, ',')) ? entry + 1 : NULL;
    if (!entry) return 0;
    int index = (int)strtol(entry, &entry, 10);
    u64 what = strtoull(entry + 1, &entry, 0);
    u64 type = *entry == '!' ? what : XID_EVENT;
    EventData data = {(Device)&cards[index], type, *entry == '!' ? 0 : what, ~0U, ~0U};
    *out = data;
    return 1;
}

__attribute__((unused)) static int wait_for(void *set, EventData *out, unsigned int timeout_ms) {
    if (set != cards) return INVALID_ARGUMENT;
    for (unsigned int waited = 0; waited <= timeout_ms; waited += 10) {
        EventData data;
        if (event(delivered, &data)) {
            delivered++;
            if (data.device->registered & data.eventType) {
                *out = data;
                return SUCCESS;
            }
        }
        for (int i = 0; i < CARDS; i++) {
            char key[64];
            if (cards[i].registered && key_of((Device)&cards[i], "", key) == GPU_IS_LOST) return GPU_IS_LOST;
        }
        usleep(10000);
    }
    return TIMEOUT;
}
#if DRIVER >= 450
int nvmlEventSetWait_v2(void *set, EventData *out, unsigned int ms) { return wait_for(set, out, ms); }
#endif

/* For the test of the layouts: "field offset size;..." of a struct, and at the end "sizeof". */
#define FIELD(struct, field) \
    at += snprintf(at, (size_t)(out + sizeof out - at), #field " %zu %zu;", offsetof(struct, field), sizeof(((struct *)0)->field))

const char *stub_layout(const char *name) {
    static char out[512];
    char *at = out;
    size_t size = 0;
    *out = 0;
    if (!strcmp(name, "c_nvmlMemory_t")) {
        size = sizeof(Memory);
        FIELD(Memory, total); FIELD(Memory, free); FIELD(Memory, used);
    } else if (!strcmp(name, "c_nvmlUtilization_t")) {
        size = sizeof(Utilization);
        FIELD(Utilization, gpu); FIELD(Utilization, memory);
    } else if (!strcmp(name, "c_nvmlProcessInfo_v2_t") || !strcmp(name, "c_nvmlProcessInfo_v3_t")) {
        size = sizeof(ProcessInfo);
        FIELD(ProcessInfo, pid); FIELD(ProcessInfo, usedGpuMemory);
        FIELD(ProcessInfo, gpuInstanceId); FIELD(ProcessInfo, computeInstanceId);
    } else if (!strcmp(name, "c_nvmlProcessUtilizationSample_t")) {
        size = sizeof(ProcessSample);
        FIELD(ProcessSample, pid); FIELD(ProcessSample, timeStamp); FIELD(ProcessSample, smUtil);
        FIELD(ProcessSample, memUtil); FIELD(ProcessSample, encUtil); FIELD(ProcessSample, decUtil);
    } else if (!strcmp(name, "c_nvmlEventData_t")) {
        size = sizeof(EventData);
        FIELD(EventData, device); FIELD(EventData, eventType); FIELD(EventData, eventData);
        FIELD(EventData, gpuInstanceId); FIELD(EventData, computeInstanceId);
    }
    snprintf(at, (size_t)(out + sizeof out - at), "sizeof %zu", size);
    return out;
}
