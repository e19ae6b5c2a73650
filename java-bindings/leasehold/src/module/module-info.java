/**
 * The pool. Its API is everybody's; what a manager of connections needs beside it is for this project's own managers.
 */
module io.leasehold {
    requires java.logging;
    // For beans alone, where they are wanted.
    requires static java.management;
    // For its events alone, where it records.
    requires static jdk.jfr;

    exports io.leasehold;
    exports io.leasehold.managed to io.leasehold.httpclient3, io.leasehold.httpclient4, io.leasehold.httpclient5;
}
