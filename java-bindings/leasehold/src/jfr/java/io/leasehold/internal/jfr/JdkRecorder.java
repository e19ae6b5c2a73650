package io.leasehold.internal.jfr;

import jdk.jfr.FlightRecorder;

/** The recorder of a JDK that has one. Made by name: where the JDK has none, this cannot be loaded, or not be asked. */
final class JdkRecorder extends FlightEvents.Recorder {
    JdkRecorder() {}

    @Override
    boolean isStarted() {
        return FlightRecorder.isInitialized();
    }

    @Override
    FlightEvents events() {
        return new RecorderEvents();
    }
}
