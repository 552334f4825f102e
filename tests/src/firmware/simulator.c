/*
 * The firmware on a simulated ATmega328P. Obeys the commands of logic.c beside tests/src/mailbox.rs for one mailbox, and
 * some more; time passes for as long as each thing takes on its wire: I2C at 100 kHz.
 * Arguments: the firmware, the board's clock in Hz, the baud rate.
 *
 * simavr's own I2C target raises no interrupt for the second byte of a read, so no program can give more than one. The
 * events of a transfer are made here instead, as the data sheet has them: status and data registers, the interrupt, and
 * the wait until the program writes TWCR with TWINT. On a real bus the clock line is held for that long.
 */
#include <avr_ioport.h>
#include <avr_twi.h>
#include <avr_uart.h>
#include <sim_avr.h>
#include <sim_elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Addresses of registers, and bits. */
enum { PORTB = 0x25, TWSR = 0xb9, TWDR = 0xbb, TWCR = 0xbc, TWINT = 0x80, TWEN = 0x04, LED = 0x20 };
enum { WRITE = 0x60, WRITTEN = 0x80, STOP = 0xa0, READ = 0xa8, TAKEN = 0xb8, ENOUGH = 0xc0, ERROR = 0x00 };
enum { I2C_BYTE_US = 90, TICK_US = 10000, START_US = 20000, SETTLE_US = 1000 };

static avr_t *avr;
static avr_twi_t *twi;
static avr_irq_t *uart_input;
static uint8_t input[255], sent[4096], output[255];
static unsigned sent_count;
static avr_cycle_count_t longest_hold;
static unsigned uart_byte_us;
static int is_reading, is_next, is_answered;
static uint8_t let_go;

static void run_one(void) {
    int state = avr_run(avr);
    if (state == cpu_Done || state == cpu_Crashed) {
        fprintf(stderr, "simulator: the firmware has crashed at %x\n", (unsigned)avr->pc);
        exit(1);
    }
}

/* Nobody holds the lines of the bus down; a reset makes simavr forget it. */
static void release_lines(void) {
    for (int line = 4; line <= 5; line++) {
        avr_irq_t *pin = avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ('C'), line);
        avr_raise_irq(pin, 0);
        avr_raise_irq(pin, 1);
    }
}

static void run_for(unsigned microseconds) {
    avr_cycle_count_t end = avr->cycle + (avr_cycle_count_t)microseconds * (avr->frequency / 1000000);
    while (avr->cycle < end) run_one();
}

static void i2c(uint8_t status) {
    run_for(I2C_BYTE_US);
    /* Or simavr takes what the program does after a bus error for that of a master. */
    twi->state = TWI_COND_SLAVE;
    avr->data[TWSR] = (uint8_t)((avr->data[TWSR] & 7) | status);
    is_answered = 0;
    avr_raise_interrupt(avr, &twi->twi);
    avr_cycle_count_t began = avr->cycle;
    while (!is_answered) {
        run_one();
        if (avr->cycle - began > avr->frequency) {
            fprintf(stderr, "simulator: the firmware does not answer I2C status %02x\n", status);
            exit(1);
        }
    }
    if (avr->cycle - began > longest_hold) longest_hold = avr->cycle - began;
}

static void control_written(struct avr_irq_t *irq, uint32_t value, void *parameter) {
    (void)irq;
    (void)parameter;
    is_answered |= (value & (TWINT | TWEN)) == (TWINT | TWEN);
    let_go += !(value & TWEN);
}

static void end_read(void) {
    if (is_reading) i2c(ENOUGH);
    is_reading = 0;
}

static void write_transfer(uint8_t number) {
    end_read();
    i2c(WRITE);
    for (uint8_t at = 0; at < number; at++) {
        avr->data[TWDR] = input[at];
        i2c(WRITTEN);
    }
    i2c(STOP);
}

static void begin_read(void) {
    end_read();
    i2c(READ);
    is_reading = 1;
    is_next = 0;
}

static uint8_t read_byte(void) {
    if (is_next) i2c(TAKEN);
    is_next = 1;
    return avr->data[TWDR];
}

static void byte_sent(struct avr_irq_t *irq, uint32_t value, void *parameter) {
    (void)irq;
    (void)parameter;
    if (sent_count < sizeof sent) sent[sent_count++] = (uint8_t)value;
}

static uint8_t take_sent(void) {
    unsigned before;
    do {
        before = sent_count;
        run_for(SETTLE_US);
    } while (sent_count != before);
    uint8_t length = (uint8_t)(sent_count < sizeof output ? sent_count : sizeof output);
    memcpy(output, sent, length);
    memmove(sent, sent + length, sent_count -= length);
    return length;
}

/* The program goes round in one place, until the watchdog ends that. */
static void hang(void) {
    uint16_t *at = (uint16_t *)(avr->flash + avr->pc), before = *at;
    *at = 0xcfff;
    run_for(2000000);
    *at = before;
    run_for(START_US);
    release_lines();
    run_for(2000000);
}

static uint8_t obey(char what, uint8_t number) {
    uint8_t length = 0;
    switch (what) {
    case 'w': write_transfer(number); break;
    case 'b': begin_read(); break;
    case 'r': while (length < number) output[length++] = read_byte(); break;
    case 'u':
        for (uint8_t at = 0; at < number; at++) {
            avr_raise_irq(uart_input, input[at]);
            run_for(uart_byte_us);
        }
        /* Until the last one has been looked at. */
        run_for(SETTLE_US);
        break;
    case 'o': length = take_sent(); break;
    case 't': run_for(number * TICK_US); break;
    case 'l': output[length++] = (avr->data[PORTB] & LED) != 0; break;
    case 'p':
        avr_reset(avr);
        run_for(START_US);
        release_lines();
        break;
    case 'e': i2c(ERROR); break;
    case 'h': hang(); break;
    case 'd': /* the data line is held down for so many ticks: how often the program switched its I2C off and on */
        let_go = 0;
        avr_raise_irq(avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ('C'), 4), 0);
        run_for(number * TICK_US);
        release_lines();
        output[length++] = let_go;
        break;
    case 'c': /* cycles for which the clock line was held at most */
        output[length++] = (uint8_t)longest_hold;
        output[length++] = (uint8_t)(longest_hold >> 8);
        break;
    }
    return length;
}

static void connect(void) {
    for (avr_io_t *io = avr->io_port; io; io = io->next) {
        if (!strcmp(io->kind, "twi")) twi = (avr_twi_t *)io;
    }
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    uart_input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), byte_sent, NULL);
    avr_irq_register_notify(avr_iomem_getirq(avr, TWCR, NULL, AVR_IOMEM_IRQ_ALL), control_written, NULL);
}

/* simavr prints what it does to the standard output. */
static FILE *keep_answers_apart(void) {
    FILE *answers = fdopen(dup(STDOUT_FILENO), "w");
    dup2(STDERR_FILENO, STDOUT_FILENO);
    return answers;
}

int main(int count, char **arguments) {
    FILE *answers = keep_answers_apart();
    elf_firmware_t firmware = {0};
    if (!answers || count != 4 || elf_read_firmware(arguments[1], &firmware) != 0) return 2;
    avr = avr_make_mcu_by_name("atmega328p");
    if (!avr || avr_init(avr) != 0) return 2;
    avr->log = LOG_NONE;
    avr_load_firmware(avr, &firmware);
    avr->frequency = (uint32_t)atol(arguments[2]);
    /* simavr takes 11 bits for a byte, and one more for what is rounded. */
    uart_byte_us = (unsigned)(12000000 / atol(arguments[3]));
    connect();
    run_for(START_US);
    release_lines();
    uint8_t command[3];
    while (fread(command, 1, sizeof command, stdin) == sizeof command) {
        int has_bytes = command[0] == 'w' || command[0] == 'u';
        if (has_bytes && fread(input, 1, command[2], stdin) != command[2]) return 1;
        uint8_t length = obey((char)command[0], command[2]);
        if (putc(length, answers) == EOF || fwrite(output, 1, length, answers) != length || fflush(answers)) return 1;
    }
    return 0;
}
