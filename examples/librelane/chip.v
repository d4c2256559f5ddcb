// Two crossbar macros behind one small controller: the digital part of a chip.
// Rows and columns leave the chip as they are; a mixed-signal chip would join them to its DACs
// and ADCs.

module chip (
`ifdef USE_POWER_PINS
    inout VDD,
    inout VSS,
`endif
    input clk,
    input rst_n,
    input load,            // takes mode, tier and column at the next edge
    input unit,            // 0: u_left, 1: u_right
    input mode,            // 0: both tiers read, 1: one reads, the other's column is written
    input tier,            // that is written: 0 bottom, 1 top
    input [2:0] column,    // that is written
    output [1:0] ready,
    inout [7:0] left_in_b, left_in_t, left_wr,
    inout [5:0] left_out,
    inout left_wc,
    inout [7:0] right_in_b, right_in_t, right_wr,
    inout [5:0] right_out,
    inout right_wc
);
    wire [5:0] ts_l, bs_l, ws_l, ts_r, bs_r, ws_r;
    wire wt_l, wb_l, wt_r, wb_r;

    controller c_left (
        .clk(clk), .rst_n(rst_n), .load(load & ~unit), .mode(mode), .tier(tier), .column(column),
        .ready(ready[0]), .ts(ts_l), .bs(bs_l), .wsel(ws_l), .wt(wt_l), .wb(wb_l));
    controller c_right (
        .clk(clk), .rst_n(rst_n), .load(load & unit), .mode(mode), .tier(tier), .column(column),
        .ready(ready[1]), .ts(ts_r), .bs(bs_r), .wsel(ws_r), .wt(wt_r), .wb(wb_r));

    crossbar u_left (
`ifdef USE_POWER_PINS
        .VDD(VDD), .VSS(VSS),
`endif
        .TS(ts_l), .BS(bs_l), .WSEL(ws_l), .WT(wt_l), .WB(wb_l),
        .IN_B(left_in_b), .IN_T(left_in_t), .WR(left_wr), .OUT(left_out), .WC(left_wc));
    crossbar u_right (
`ifdef USE_POWER_PINS
        .VDD(VDD), .VSS(VSS),
`endif
        .TS(ts_r), .BS(bs_r), .WSEL(ws_r), .WT(wt_r), .WB(wb_r),
        .IN_B(right_in_b), .IN_T(right_in_t), .WR(right_wr), .OUT(right_out), .WC(right_wc));
endmodule

// Break before make: one clock with every select line low between two states.
module controller (
    input clk, rst_n, load, mode, tier,
    input [2:0] column,
    output reg ready,
    output reg [5:0] ts, bs, wsel,
    output reg wt, wb
);
    reg off, m, t;
    reg [2:0] k;
    wire [5:0] one = 6'b1 << k;

    always @(posedge clk or negedge rst_n)
        if (!rst_n) begin
            {ts, bs, wsel} <= 18'b0;
            {wt, wb, ready, off, m, t} <= 6'b0;
            k <= 3'b0;
        end else if (load) begin
            {ts, bs, wsel} <= 18'b0;
            {wt, wb, ready} <= 3'b0;
            off <= 1'b1;
            {m, t, k} <= {mode, tier, column};
        end else if (off) begin
            off <= 1'b0;
            ready <= 1'b1;
            ts <= !m ? 6'h3f : (t ? one : ~one);
            bs <= !m ? 6'h3f : (t ? ~one : one);
            wsel <= m ? one : 6'b0;
            wt <= m & t;
            wb <= m & ~t;
        end
endmodule
