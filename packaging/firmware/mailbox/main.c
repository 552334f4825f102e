/*
 * The mailbox on an ATmega328P (Arduino Nano, Uno, Pro Mini): its I2C target, UART, timer, LED, EEPROM and watchdog.
 *
 * What is decided is in mailbox.c. Interrupts are off while one of its functions runs, other than mailbox_uart_byte():
 * here in the handlers by themselves, in the main loop by ATOMIC_BLOCK.
 */
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/wdt.h>
#include <util/atomic.h>
#include <util/twi.h>

#include "mailbox.h"

/* 16 MHz makes 117647 baud of 115200: 2.1 % is too much for the default of <util/setbaud.h>, not for a UART. */
#define BAUD_TOL 3
#include <util/setbaud.h>

/* Of the timer, whose clock is F_CPU / 1024. */
#define COUNTS_PER_TICK ((F_CPU + 1024UL * MAILBOX_TICKS_PER_SECOND / 2) / (1024UL * MAILBOX_TICKS_PER_SECOND))

#define LED _BV(PB5)

#define SDA _BV(PC4)
#define SCL _BV(PC5)

/* A power of two. At 115200 baud it takes 5 ms to fill; a byte that arrived is looked at in less than 0.3 ms. */
#define ARRIVED_BYTES 64

static struct mailbox box;

/* From the UART's handler to the main loop: one writes `arrived_end`, the other `arrived_begin`. */
static volatile uint8_t arrived[ARRIVED_BYTES];
static volatile uint8_t arrived_end;
static volatile uint8_t arrived_begin;

static uint8_t stored_start_number EEMEM;

/* After a reset by the watchdog it goes on with its shortest time, so it is stopped before anything else is done. */
void stop_watchdog(void) __attribute__((naked, used, section(".init3")));
void stop_watchdog(void) {
    MCUSR = 0;
    wdt_disable();
}

/* I2C. The clock line is held from an event until TWCR is written, so for as long as the handler runs. */

static void listen(uint8_t more) {
    TWCR = (uint8_t)(_BV(TWINT) | _BV(TWEA) | _BV(TWEN) | _BV(TWIE) | more);
}

ISR(TWI_vect) {
    uint8_t more = 0;
    switch (TW_STATUS) {
    case TW_SR_SLA_ACK:
        mailbox_i2c_write_begins(&box);
        break;
    case TW_SR_DATA_ACK:
        mailbox_i2c_byte_written(&box, TWDR);
        break;
    case TW_SR_STOP:
        mailbox_i2c_stop(&box);
        UCSR0B |= _BV(UDRIE0);
        break;
    case TW_ST_SLA_ACK:
        mailbox_i2c_read_begins(&box);
        TWDR = mailbox_i2c_byte_to_read(&box);
        break;
    case TW_ST_DATA_ACK:
        TWDR = mailbox_i2c_byte_to_read(&box);
        break;
    case TW_BUS_ERROR:
        /* START or STOP in the middle of a byte: this lets go of the bus and sends no STOP. */
        more = _BV(TWSTO);
        break;
    default:
        /* The master has read enough. */
        break;
    }
    listen(more);
}

/* The UART. */

ISR(USART_RX_vect) {
    uint8_t is_broken = UCSR0A & (_BV(FE0) | _BV(DOR0));
    uint8_t byte = UDR0;
    uint8_t next = (arrived_end + 1) & (ARRIVED_BYTES - 1);
    /* A byte that is wrong or has no room is missing in its message, whose check then fails. */
    if (!is_broken && next != arrived_begin) {
        arrived[arrived_end] = byte;
        arrived_end = next;
    }
}

ISR(USART_UDRE_vect) {
    uint8_t byte;
    if (mailbox_next_uart_byte(&box, &byte)) {
        UDR0 = byte;
    } else {
        UCSR0B &= (uint8_t)~_BV(UDRIE0);
    }
}

/* One byte each time, so that no stream of bytes keeps the main loop from the rest of its work. */
static void look_at_what_arrived(void) {
    if (arrived_begin == arrived_end) {
        return;
    }
    enum mailbox_uart_result result = mailbox_uart_byte(&box, arrived[arrived_begin]);
    arrived_begin = (arrived_begin + 1) & (ARRIVED_BYTES - 1);
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        mailbox_uart_accept(&box, result);
    }
}

/* Time. */

static void show(bool is_on) {
    if (is_on) {
        PORTB |= LED;
    } else {
        PORTB &= (uint8_t)~LED;
    }
}

/* A gateway that was reset in the middle of a read leaves the mailbox with a 0 on the data line, waiting for a clock. */
static void let_go_of_a_stuck_bus(void) {
    static uint8_t ticks_low;
    ticks_low = PINC & SDA ? 0 : ticks_low + 1;
    if (ticks_low == MAILBOX_TICKS_PER_SECOND) {
        ticks_low = 0;
        TWCR = 0;
        listen(0);
    }
}

static void let_time_pass(void) {
    if (!(TIFR0 & _BV(OCF0A))) {
        return;
    }
    TIFR0 = _BV(OCF0A);
    bool is_on = false;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        mailbox_tick_10ms(&box);
        is_on = mailbox_led(&box);
    }
    show(is_on);
    let_go_of_a_stuck_bus();
}

/* Start. */

static uint8_t raise_start_number(void) {
    uint8_t number = mailbox_next_start_number(eeprom_read_byte(&stored_start_number));
    eeprom_write_byte(&stored_start_number, number);
    return number;
}

static void start_uart(void) {
    UCSR0A = USE_2X ? _BV(U2X0) : 0;
    UBRR0 = UBRR_VALUE;
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXCIE0) | _BV(RXEN0) | _BV(TXEN0);
}

static void start_timer(void) {
    OCR0A = COUNTS_PER_TICK - 1;
    TCCR0A = _BV(WGM01);
    TCCR0B = _BV(CS02) | _BV(CS00);
}

/* The pull-ups of the AVR stay off: the lines belong to the gateway's 3.3 V. */
static void start_i2c(void) {
    PORTC &= (uint8_t)~(SDA | SCL);
    TWAR = MAILBOX_ADDRESS << 1;
    listen(0);
}

int main(void) {
    wdt_enable(WDTO_1S);
    DDRB |= LED;
    mailbox_init(&box, raise_start_number());
    start_uart();
    start_timer();
    start_i2c();
    sei();
    for (;;) {
        look_at_what_arrived();
        let_time_pass();
        wdt_reset();
    }
}
