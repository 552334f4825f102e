#include "mailbox.h"

#include <string.h>

#define BEAT_MAGIC 0xf1
#define NO_REGISTER 0xff
#define GREETING_LENGTH 6

/* What began and does not go on within 50 ms is no message: a beat takes 3 ms at 115200 baud, 9 ms at 38400. */
#define PATIENCE_TICKS 5
#define SILENCE_TICKS (3 * MAILBOX_TICKS_PER_SECOND)
#define FLASH_TICKS 5
#define SLOW_BLINK_TICKS 200

static const uint8_t greeting[GREETING_LENGTH] = {'h', 'e', 'l', 'l', 'o', '!'};

void mailbox_init(struct mailbox *box, uint8_t start_number) {
    memset(box, 0, sizeof *box);
    box->pointer = MAILBOX_STATUS;
    box->inbox_age = MAILBOX_AGE_SATURATED;
    box->i2c_quiet = SILENCE_TICKS;
    box->uart_quiet = SILENCE_TICKS;
    box->start_number = start_number;
}

uint8_t mailbox_next_start_number(uint8_t last) {
    return last == 0xff ? 1 : (uint8_t)(last + 1);
}

/* I2C, writing. */

void mailbox_i2c_write_begins(struct mailbox *box) {
    box->written_length = 0;
}

void mailbox_i2c_byte_written(struct mailbox *box, uint8_t byte) {
    if (box->written_length < sizeof box->written) {
        box->written[box->written_length] = byte;
    }
    /* One more than there is room for means: too long. */
    if (box->written_length <= sizeof box->written) {
        box->written_length++;
    }
}

/* The newest message counts: one that waits is replaced, one that is being sent goes out whole. */
static void send(struct mailbox *box, const uint8_t *bytes, uint8_t length) {
    if (length == 0 || length > MAILBOX_MESSAGE_BYTES) {
        return;
    }
    memcpy(box->waiting.bytes, bytes, length);
    box->waiting.length = length;
    box->i2c_quiet = 0;
}

void mailbox_i2c_stop(struct mailbox *box) {
    uint8_t length = box->written_length;
    box->written_length = 0;
    if (length == 0) {
        return;
    }
    if (box->written[0] >= MAILBOX_END) {
        send(box, box->written, length);
    } else if (length == 1) {
        box->pointer = box->written[0];
    } else if (box->written[0] == MAILBOX_OUTBOX) {
        send(box, box->written + 1, (uint8_t)(length - 1));
    }
}

/* I2C, reading. */

static uint8_t flags(const struct mailbox *box) {
    uint8_t garbage = box->has_garbage ? MAILBOX_FLAG_GARBAGE : 0;
    uint8_t saturated = box->inbox_age == MAILBOX_AGE_SATURATED ? MAILBOX_FLAG_AGE_SATURATED : 0;
    return garbage | saturated;
}

void mailbox_i2c_read_begins(struct mailbox *box) {
    uint8_t *status = box->snapshot;
    status[0] = MAILBOX_MAGIC;
    status[1] = MAILBOX_VERSION;
    status[2] = box->inbox.length;
    status[3] = box->inbox_count;
    status[4] = (uint8_t)(box->inbox_age & 0xff);
    status[5] = (uint8_t)(box->inbox_age >> 8);
    status[6] = box->start_number;
    status[7] = flags(box);
    memcpy(status + MAILBOX_INBOX - MAILBOX_STATUS, box->inbox.bytes, MAILBOX_MESSAGE_BYTES);
    box->next_register = box->pointer;
}

uint8_t mailbox_i2c_byte_to_read(struct mailbox *box) {
    uint8_t at = box->next_register;
    if (at < MAILBOX_END) {
        box->next_register++;
    }
    return at >= MAILBOX_STATUS && at < MAILBOX_END ? box->snapshot[at - MAILBOX_STATUS] : NO_REGISTER;
}

/* The UART, coming in. */

/* CRC-16/CCITT-FALSE, a byte at a time without a table. */
static uint16_t checksum(const uint8_t *bytes, uint8_t length) {
    uint16_t crc = 0xffff;
    for (uint8_t at = 0; at < length; at++) {
        uint8_t high = (uint8_t)(crc >> 8) ^ bytes[at];
        high ^= high >> 4;
        crc = (uint16_t)((uint16_t)(crc << 8) ^ ((uint16_t)high << 12) ^ ((uint16_t)high << 5) ^ high);
    }
    return crc;
}

static bool is_beat(const uint8_t *bytes) {
    const uint8_t *end = bytes + MAILBOX_MESSAGE_BYTES - 2;
    return checksum(bytes, MAILBOX_MESSAGE_BYTES - 2) == (uint16_t)(end[0] | (uint16_t)((uint16_t)end[1] << 8));
}

/* What these bytes are: a whole message, the beginning of one (nothing yet), or garbage. */
static enum mailbox_uart_result judge(const uint8_t *bytes, uint8_t length) {
    if (bytes[0] == BEAT_MAGIC) {
        if (length < MAILBOX_MESSAGE_BYTES) {
            return MAILBOX_NOTHING;
        }
        return is_beat(bytes) ? MAILBOX_MESSAGE : MAILBOX_GARBAGE;
    }
    uint8_t compared = length < GREETING_LENGTH ? length : GREETING_LENGTH;
    if (memcmp(bytes, greeting, compared) != 0) {
        return MAILBOX_GARBAGE;
    }
    return length < GREETING_LENGTH ? MAILBOX_NOTHING : MAILBOX_MESSAGE;
}

/* Drops bytes at the front until the rest can become a message. */
static enum mailbox_uart_result slide(struct mailbox_message *incoming) {
    uint8_t from = 0;
    enum mailbox_uart_result result = MAILBOX_GARBAGE;
    while (from < incoming->length) {
        result = judge(incoming->bytes + from, (uint8_t)(incoming->length - from));
        if (result != MAILBOX_GARBAGE) {
            break;
        }
        from++;
    }
    incoming->length = (uint8_t)(incoming->length - from);
    memmove(incoming->bytes, incoming->bytes + from, incoming->length);
    return result == MAILBOX_MESSAGE ? MAILBOX_MESSAGE : from > 0 ? MAILBOX_GARBAGE : MAILBOX_NOTHING;
}

enum mailbox_uart_result mailbox_uart_byte(struct mailbox *box, uint8_t byte) {
    /* Sketches end a greeting with println(): CR and LF after it are no garbage. */
    if (box->follows_greeting && (byte == '\r' || byte == '\n')) {
        return MAILBOX_NOTHING;
    }
    box->follows_greeting = false;
    box->incoming.bytes[box->incoming.length++] = byte;
    box->incoming_quiet = 0;
    return slide(&box->incoming);
}

static void receive(struct mailbox *box) {
    memset(box->inbox.bytes, 0, sizeof box->inbox.bytes);
    memcpy(box->inbox.bytes, box->incoming.bytes, box->incoming.length);
    box->inbox.length = box->incoming.length;
    box->inbox_count++;
    box->inbox_age = 0;
    box->has_garbage = false;
    box->uart_quiet = 0;
    box->follows_greeting = box->incoming.length == GREETING_LENGTH;
    box->incoming.length = 0;
}

void mailbox_uart_accept(struct mailbox *box, enum mailbox_uart_result result) {
    if (result == MAILBOX_MESSAGE) {
        receive(box);
    } else if (result == MAILBOX_GARBAGE) {
        box->has_garbage = true;
    }
}

/* The UART, going out. */

bool mailbox_next_uart_byte(struct mailbox *box, uint8_t *byte) {
    if (box->sent == box->sending.length) {
        box->sending = box->waiting;
        box->waiting.length = 0;
        box->sent = 0;
    }
    if (box->sent == box->sending.length) {
        return false;
    }
    *byte = box->sending.bytes[box->sent++];
    return true;
}

/* Time. */

static void count_up(uint16_t *ticks, uint16_t end) {
    if (*ticks < end) {
        (*ticks)++;
    }
}

static void give_up_what_began(struct mailbox *box) {
    if (box->incoming.length > 0 && ++box->incoming_quiet > PATIENCE_TICKS) {
        box->incoming.length = 0;
        box->has_garbage = true;
    }
}

void mailbox_tick_10ms(struct mailbox *box) {
    count_up(&box->inbox_age, MAILBOX_AGE_SATURATED);
    count_up(&box->i2c_quiet, SILENCE_TICKS);
    count_up(&box->uart_quiet, SILENCE_TICKS);
    box->led_phase = (uint8_t)((box->led_phase + 1) % SLOW_BLINK_TICKS);
    give_up_what_began(box);
}

bool mailbox_led(const struct mailbox *box) {
    bool i2c_talks = box->i2c_quiet < SILENCE_TICKS;
    bool uart_talks = box->uart_quiet < SILENCE_TICKS;
    if (i2c_talks != uart_talks) {
        return box->led_phase < SLOW_BLINK_TICKS / 2;
    }
    return i2c_talks && (box->i2c_quiet < FLASH_TICKS || box->uart_quiet < FLASH_TICKS);
}
