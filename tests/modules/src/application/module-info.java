/** An application of modules, as its users would write one. */
module io.leasehold.tests.modules {
    requires io.leasehold;
    requires io.leasehold.httpclient4;
    requires jdk.httpserver;
    requires org.apache.httpcomponents.httpclient;
    requires org.apache.httpcomponents.httpcore;
}
