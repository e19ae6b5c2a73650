package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** TCP keep-alive on sockets of every kind. */
class TcpKeepAliveTest {
    @ParameterizedTest
    @EnumSource
    void itIsSetOnTheSocket(SocketsTest.Kind kind) throws Exception {
        SocketsTest.Pair pair = kind.connect();
        assertFalse(pair.ours.getKeepAlive());
        assertTrue(TcpKeepAlive.of(30, 5, 3).setOn(pair.ours));
        assertTrue(pair.ours.getKeepAlive());
        assertFalse(pair.theirs.getKeepAlive());
        pair.end();
    }

    @Test
    void itIsSetOnASocketThatWasLookedForBefore() throws Exception {
        SocketsTest.Pair pair = SocketsTest.Kind.PLAIN.connect();
        TcpKeepAlive longest = TcpKeepAlive.of(32_767, 32_767, 127);
        assertEquals("[idle: 32767 s; interval: 32767 s; probes: 127]", longest.toString());
        assertTrue(longest.setOn(pair.probe));
        assertTrue(pair.ours.getKeepAlive());
        try (Socket unconnected = new Socket()) {
            assertFalse(longest.setOn(SocketProbe.of(unconnected)));
        }
        assertTrue(TcpKeepAlive.of(1, 1, 1).setOn(pair.probe));
        pair.end();
    }

    @ParameterizedTest
    @CsvSource({"0,1,1,idle", "-1,1,1,idle", "32768,1,1,idle", "1,0,1,interval", "1,32768,1,interval", "1,1,0,probes", "1,1,128,probes"})
    void whatTheOperatingSystemDoesNotTakeIsRefused(int idle, int interval, int probes, String what) {
        String message = assertThrows(IllegalArgumentException.class, () -> TcpKeepAlive.of(idle, interval, probes)).getMessage();
        assertTrue(message.contains(what + " must be 1 to "), message);
    }

    @Test
    void aSocketWithoutADescriptorIsLeftAlone() throws Exception {
        try (Socket unconnected = new Socket()) {
            assertFalse(TcpKeepAlive.of(30, 5, 3).setOn(unconnected));
        }
        SocketsTest.Pair pair = SocketsTest.Kind.PLAIN.connect();
        pair.ours.close();
        pair.theirs.close();
        assertFalse(TcpKeepAlive.of(30, 5, 3).setOn(pair.ours));
    }

    @ParameterizedTest
    @EnumSource
    void aClosedSocketsDescriptorIsAStrangers(SocketsTest.Kind kind) throws Exception {
        SocketsTest.Pair pair = kind.connect();
        pair.ours.close();
        // The lowest number that is free is a new socket's, so one of these has it.
        List<SocketsTest.Pair> strangers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            strangers.add(SocketsTest.Kind.PLAIN.connect());
        }
        assertFalse(TcpKeepAlive.of(30, 5, 3).setOn(pair.probe));
        for (SocketsTest.Pair stranger : strangers) {
            assertFalse(stranger.ours.getKeepAlive() || stranger.theirs.getKeepAlive());
            stranger.end();
        }
        pair.end();
    }
}
