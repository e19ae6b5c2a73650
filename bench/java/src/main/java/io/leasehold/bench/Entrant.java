package io.leasehold.bench;

import java.util.function.IntFunction;

/** Who is measured, under which name, in which bench. Those of one bench are compared with each other. */
public enum Entrant {
    LEASEHOLD("java-cycle", "leasehold", Pools::leasehold),
    HTTPCORE5_STRICT("java-cycle", "httpcore5-strict", Pools::httpcore5Strict),
    HTTPCORE5_OFFLOCK("java-cycle", "httpcore5-offlock", Pools::httpcore5Offlock),
    HTTPCLIENT3_LEASEHOLD("httpclient3-cycle", "leasehold", Httpclient3::leasehold),
    HTTPCLIENT3_MULTITHREADED("httpclient3-cycle", "httpclient3-multithreaded", Httpclient3::multithreaded),
    HTTPCLIENT4_LEASEHOLD("httpclient4-cycle", "leasehold", Httpclient4::leasehold),
    HTTPCLIENT4_POOLING("httpclient4-cycle", "httpclient4-pooling", Httpclient4::pooling),
    HTTPCORE5_LEASEHOLD("httpcore5-cycle", "leasehold", Pools::leaseholdForHttpcore5),
    HTTPCORE5_BESIDE_STRICT("httpcore5-cycle", "httpcore5-strict", Pools::httpcore5Strict),
    HTTPCORE5_BESIDE_LAX("httpcore5-cycle", "httpcore5-lax", Pools::httpcore5Lax),
    HTTPCORE5_BESIDE_OFFLOCK("httpcore5-cycle", "httpcore5-offlock", Pools::httpcore5Offlock);

    final String bench;
    final String contender;
    private final IntFunction<Contender> maker;

    Entrant(String bench, String contender, IntFunction<Contender> maker) {
        this.bench = bench;
        this.contender = contender;
        this.maker = maker;
    }

    Contender make(int routes) {
        return maker.apply(routes);
    }
}
