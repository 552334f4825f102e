/*
 * The mailbox between two gateways: what it does, without the hardware it does it on.
 *
 * One gateway is the master of an I2C bus on which the mailbox is a target, the other one is at the mailbox's UART. Each
 * gets the last message of the other, and its age. README.md beside this file has the register map.
 *
 * mailbox_uart_byte() looks at bytes for as long as it takes and may be interrupted by every other function here. The
 * others are short, and each must run to its end without being interrupted by another one.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#define MAILBOX_ADDRESS 0x08
#define MAILBOX_MESSAGE_BYTES 32

/* Registers. */
#define MAILBOX_OUTBOX 0x00
#define MAILBOX_STATUS 0x20
#define MAILBOX_INBOX 0x28
#define MAILBOX_END 0x48
#define MAILBOX_SNAPSHOT_BYTES (MAILBOX_END - MAILBOX_STATUS)

/* What the first two status registers say. */
#define MAILBOX_MAGIC 0x46
#define MAILBOX_VERSION 1

/* Bits of the flags, register 0x27. */
#define MAILBOX_FLAG_GARBAGE 0x01
#define MAILBOX_FLAG_AGE_SATURATED 0x02

#define MAILBOX_AGE_SATURATED 0xffff
#define MAILBOX_TICKS_PER_SECOND 100

struct mailbox_message {
    uint8_t length;
    uint8_t bytes[MAILBOX_MESSAGE_BYTES];
};

struct mailbox {
    /* I2C, writing: the bytes of this transfer, the first of which may be a register. */
    uint8_t written[1 + MAILBOX_MESSAGE_BYTES];
    uint8_t written_length;
    /* I2C, reading: the registers as they were when the transfer began. */
    uint8_t pointer;
    uint8_t next_register;
    uint8_t snapshot[MAILBOX_SNAPSHOT_BYTES];
    /* The last message from the UART, for the I2C side. */
    struct mailbox_message inbox;
    uint8_t inbox_count;
    uint16_t inbox_age;
    bool has_garbage;
    /* Towards the UART: what is being sent, and the newest message after it. */
    struct mailbox_message sending;
    uint8_t sent;
    struct mailbox_message waiting;
    /* From the UART: what may become a message. Only the main loop touches it. */
    struct mailbox_message incoming;
    uint8_t incoming_quiet;
    bool follows_greeting;
    /* Ticks since each side's last message, and those that the LED counts. */
    uint16_t i2c_quiet;
    uint16_t uart_quiet;
    uint8_t led_phase;
    uint8_t start_number;
};

/* What a byte from the UART led to. */
enum mailbox_uart_result { MAILBOX_NOTHING, MAILBOX_GARBAGE, MAILBOX_MESSAGE };

/* Power-up. The start number is 1 to 255 and another one than last time. */
void mailbox_init(struct mailbox *box, uint8_t start_number);

/* The start number after this one; an erased EEPROM holds 0xff. */
uint8_t mailbox_next_start_number(uint8_t last);

/* I2C: addressed for writing, a byte arrived, STOP or repeated START. */
void mailbox_i2c_write_begins(struct mailbox *box);
void mailbox_i2c_byte_written(struct mailbox *box, uint8_t byte);
void mailbox_i2c_stop(struct mailbox *box);

/* I2C: addressed for reading, the next byte to give. */
void mailbox_i2c_read_begins(struct mailbox *box);
uint8_t mailbox_i2c_byte_to_read(struct mailbox *box);

/*
 * A byte came from the UART. Its result goes into mailbox_uart_accept() before the next byte; apart from that nothing
 * is seen of it.
 */
enum mailbox_uart_result mailbox_uart_byte(struct mailbox *box, uint8_t byte);
void mailbox_uart_accept(struct mailbox *box, enum mailbox_uart_result result);

/* The next byte for the UART: false when there is none. */
bool mailbox_next_uart_byte(struct mailbox *box, uint8_t *byte);

/* 10 ms have passed. */
void mailbox_tick_10ms(struct mailbox *box);

/* Whether the LED is to be on. */
bool mailbox_led(const struct mailbox *box);

#endif
