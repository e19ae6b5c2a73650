package io.leasehold.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MembersTest {
    private final Members members = new Members(getClass().getClassLoader());

    @Test
    void whatIsThereIsFoundInAClassAndAboveIt() throws Exception {
        members.check("org/apache/http/HttpHost\n"
                + "org/apache/http/HttpHost DEFAULT_SCHEME_NAME:Ljava/lang/String; port:I <init>(Ljava/lang/String;I)V getPort()I\n"
                // From the class above it, from an interface's interface, and from one of the JDK's.
                + "org/apache/http/conn/ConnectionPoolTimeoutException initCause(Ljava/lang/Throwable;)Ljava/lang/Throwable;\n"
                + "org/apache/http/impl/conn/CPoolEntry getRoute()Ljava/lang/Object;\n"
                + "org/apache/http/conn/ManagedHttpClientConnection isOpen()Z\n");
    }

    @ParameterizedTest
    @CsvSource({
        "org/apache/http/HttpHosts, its loader shows no org.apache.http.HttpHosts",
        "org/apache/http/HttpHost getPort()I getPort()J, there is no org.apache.http.HttpHost.getPort()J",
        "org/apache/http/HttpHost port:J, there is no org.apache.http.HttpHost.port:J",
        "org/apache/http/conn/ManagedHttpClientConnection isOpened()Z, "
                + "there is no org.apache.http.conn.ManagedHttpClientConnection.isOpened()Z",
        // That above it has one.
        "org/apache/http/impl/conn/CPoolEntry <init>(Ljava/lang/String;Ljava/lang/Object;Ljava/lang/Object;)V, "
                + "there is no org.apache.http.impl.conn.CPoolEntry.<init>(Ljava/lang/String;Ljava/lang/Object;Ljava/lang/Object;)V",
    })
    void whatIsNotThereIsSaid(String listed, String why) {
        assertEquals(why, assertThrows(Unexpected.class, () -> members.check("org/apache/http/HttpRequest\n" + listed)).getMessage());
    }
}
