/** The chart library, as the gateway serves it beside these modules. */
import uPlot from 'uplot';

// oxlint-disable-next-line import/no-default-export -- that is what the library exports
export default uPlot;
