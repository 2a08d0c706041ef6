# Runs for every delivery before anything of the owner's.
require ["envelope", "fileinto", "imap4flags", "mailbox", "subaddress", "vacation", "variables",
    "vnd.dovecot.environment"];

# A probe of the audit. The milter removes this header from all mail that arrives and sets it only
# after it has verified the probe's token, so its presence is proof. Sieve can't verify one itself.
if header :is "X-Kommunpost-Probe" "verified" {
    fileinto "#probe/Probe";
    stop;
}

# The archive's copies: by the day on which the log has its entry.
if allof(envelope :domain :is "to" "archive.invalid", envelope :matches :detail "to" "*") {
    fileinto :create "${1}";
    stop;
}

# The copy of what was sent as this function mailbox. Postfix adds this address by itself and takes
# it from nobody.
if envelope :detail "to" "sent" {
    fileinto :flags "\\Seen" "Sent";
    stop;
}

# What the mailbox answers, if the directory says so: once a day and sender, and never to lists,
# bounces, other programs or whom it was not written to (RFC 3834, RFC 5230).
if not string :is "${env.vnd.dovecot.config.answer}" "" {
    if header :matches "Subject" "*" {
        set "subject" ": ${1}";
    }
    vacation :days 1 :handle "answer" :subject "Automatiskt svar${subject}"
        "${env.vnd.dovecot.config.answer}";
}
