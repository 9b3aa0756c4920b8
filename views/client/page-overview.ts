/** The overview of a session: the countdown of the code that is shown. Everything else is renewed by its parts. */
import { keepCountdowns } from './countdown.ts';

keepCountdowns();
