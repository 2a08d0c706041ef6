# Runs for every delivery before anything of the owner's.
require ["fileinto"];

# A probe of the audit. The milter removes this header from all mail that arrives and sets it only
# after it has verified the probe's token, so its presence is proof. Sieve can't verify one itself.
if header :is "X-Kommunpost-Probe" "verified" {
    fileinto "#probe/Probe";
    stop;
}
