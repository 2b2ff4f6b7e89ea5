// How attention is painted, the same in every panel: one colour for one share, whatever the map.
window.maps = (() => {
  "use strict";
  const { make, svg } = window.bridge;
  // Viridis, nine stops: even in lightness and readable with any colour vision.
  const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];
  const FULL = 0.25; // attention on one patch that takes the last colour
  const MORE = [11, 95, 196], NONE = [247, 247, 247], LESS = [200, 89, 26]; // blue, white, orange

  const color = (value, full = FULL) => VIRIDIS[Math.round(Math.min(value / full, 1) * (VIRIDIS.length - 1))];
  // Above 0 blue, below it orange, both at their fullest from `limit` on.
  const signed = (value, limit) => {
    const share = limit ? Math.max(-1, Math.min(value / limit, 1)) : 0;
    const end = share < 0 ? LESS : MORE;
    return `rgb(${NONE.map((none, i) => Math.round(none + Math.abs(share) * (end[i] - none))).join(" ")})`;
  };
  const square = (i, columns, fill, opacity = 1) => svg("rect", {
    x: i % columns, y: Math.floor(i / columns), width: 1, height: 1, fill, "fill-opacity": opacity.toFixed(3),
  });
  // A map as squares, one a patch; the picture below stays visible. The share `full` takes the last colour.
  const squares = (cells, grid, full = FULL) => cells.map((value, i) => {
    const rect = square(i, grid, color(value, full), Math.min(0.9, 3.2 * value / full));
    rect.dataset.attention = value.toFixed(5);
    return rect;
  });
  // A line between patches that are inside and patches that are not.
  const contour = (inside, grid) => {
    const at = (row, column) => row >= 0 && column >= 0 && row < grid && column < grid && inside(row * grid + column);
    let path = "";
    for (let row = 0; row <= grid; row++)
      for (let column = 0; column <= grid; column++) {
        if (at(row, column) !== at(row - 1, column)) path += `M${column} ${row}h1`;
        if (at(row, column) !== at(row, column - 1)) path += `M${column} ${row}v1`;
      }
    return path;
  };
  // The contour of all patches above the uniform level, which stands out on any picture.
  const level = (cells, grid, uniform) => {
    const above = contour((i) => cells[i] > uniform * (1 + 1e-4), grid);
    return [svg("path", { d: above, class: "contour under" }), svg("path", { d: above, class: "contour" })];
  };
  // Colours with the numbers of both ends, and a mark at `mark` (0 to 1) if there is one.
  const ramp = (stops, low, high, mark = null) => make("span", { class: "scale" }, `${low} `,
    make("span", { class: "ramp", style: `background:linear-gradient(90deg,${stops.join(",")})` },
      ...(mark === null ? [] : [make("i", { style: `left:${(100 * mark).toFixed(2)}%` })])), ` ${high}`);
  const DIVERGING = [signed(-1, 1), signed(0, 1), signed(1, 1)];
  return { VIRIDIS, DIVERGING, FULL, color, signed, square, squares, contour, level, ramp };
})();
