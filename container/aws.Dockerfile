# The server's image for ECS, of the image ground-truth: see docs/own-server-on-aws.md.
FROM ground-truth
# Aurora's certificates are of authorities of RDS's own, which Debian doesn't know.
COPY --chown=ground-truth:ground-truth aurora.pem /etc/ssl/aurora.pem
# ECS gives a volume the owner and rights that a VOLUME of the same path has; of any other, root alone could write in it.
VOLUME /tmp
