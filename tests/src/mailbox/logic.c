/*
 * Two mailboxes of the firmware's own logic, in a process that obeys commands on its standard input.
 *
 * A command is three bytes (what, which mailbox: 0 or 1, a number) and, for 'w' and 'u', so many more bytes. Each is
 * answered: a length byte, then that many bytes.
 */
#include <stdio.h>

#include "mailbox.h"

static struct mailbox boxes[2];
static uint8_t start_numbers[2];
static uint8_t input[255];
static uint8_t output[255];

static void power_up(int which) {
    start_numbers[which] = mailbox_next_start_number(start_numbers[which]);
    mailbox_init(&boxes[which], start_numbers[which]);
}

static uint8_t obey(char what, struct mailbox *box, int which, uint8_t number) {
    uint8_t length = 0;
    switch (what) {
    case 'w': /* a transfer that writes */
        mailbox_i2c_write_begins(box);
        for (uint8_t at = 0; at < number; at++) mailbox_i2c_byte_written(box, input[at]);
        mailbox_i2c_stop(box);
        break;
    case 'b': /* a transfer that reads begins */
        mailbox_i2c_read_begins(box);
        break;
    case 'r': /* the next bytes of it */
        for (; length < number; length++) output[length] = mailbox_i2c_byte_to_read(box);
        break;
    case 'u': /* bytes from the UART */
        for (uint8_t at = 0; at < number; at++) mailbox_uart_accept(box, mailbox_uart_byte(box, input[at]));
        break;
    case 'o': /* what the UART sends */
        while (length < number && mailbox_next_uart_byte(box, &output[length])) length++;
        break;
    case 't': /* ticks of 10 ms */
        for (uint8_t at = 0; at < number; at++) mailbox_tick_10ms(box);
        break;
    case 'l': /* the LED */
        output[length++] = mailbox_led(box);
        break;
    case 'p': /* power-up */
        power_up(which);
        break;
    }
    return length;
}

int main(void) {
    uint8_t command[3];
    power_up(0);
    power_up(1);
    while (fread(command, 1, sizeof command, stdin) == sizeof command) {
        int which = command[1] & 1;
        int has_bytes = command[0] == 'w' || command[0] == 'u';
        if (has_bytes && fread(input, 1, command[2], stdin) != command[2]) return 1;
        uint8_t length = obey((char)command[0], &boxes[which], which, command[2]);
        if (putchar(length) == EOF || fwrite(output, 1, length, stdout) != length || fflush(stdout) != 0) return 1;
    }
    return 0;
}
