"""The fixed parts of the generated KLayout deck: head, helpers and tail, in Ruby."""

from __future__ import annotations

from ..pdk import Tech

HEAD = """\
# CrossStack DRC for {tech}
# Generated from the rule table; do not edit.
#
# In the program: Tools > DRC. In batch:
#   klayout -b -r crossstack.lydrc -rd input=/abs/a.gds -rd report=/abs/a.lyrdb
# Optional: -rd topcell=NAME, -rd mode=deep, -rd threads=2, -rd density=1 (whole dies only),
# -rd count=/abs/file (one line per rule that ran: name and number of markers).

if $input
  $topcell ? source($input, $topcell) : source($input)
end
if $report
  report("CrossStack DRC", $report)
else
  report("CrossStack DRC")
end
threads(($threads || 1).to_i)
$mode == "deep" ? deep : flat
raise "the database unit must be 0.001 um" if (source.layout.dbu - 0.001).abs > 1e-9
$cs_ran = []
"""

HELPERS = """\
# A rule either runs and is counted, or the deck ends with an error.
def cs_rule(name, text)
  marks = yield.merged
  marks.output(name, text)
  $cs_ran << [name, marks.count]
end

# A layout without any layer of this process is not a clean one.
def cs_check_layers
  layout, cell = source.layout, source.cell_obj
  drawn = $cs_known.any? do |layer, datatype|
    index = layout.find_layer(layer, datatype)
    index && !cell.bbox(index).empty?
  end
  raise "cell #{cell.name} draws nothing on a layer of this process" if !drawn
end

def cs_wrap(data)
  DRC::DRCLayer::new(self, data)
end

def cs_region(name)
  cs_pair($cs_layers[name])
end

def cs_pair(pair)
  layout, cell = source.layout, source.cell_obj
  index = layout.find_layer(*pair)
  region = index ? RBA::Region::new(cell.begin_shapes_rec(index)) : RBA::Region::new
  region.merge
  region
end

# Spaces between wells that their taps and the metals do not join.
def cs_space_nets(wells, distance)
  dbu = source.layout.dbu
  d = (distance / dbu).round
  region = RBA::Region::new
  wells.data.each_merged { |p| region.insert(p) }
  pairs = region.space_check(d)
  result = RBA::EdgePairs::new
  if !pairs.is_empty?
    l2n = RBA::LayoutToNetlist::new(source.cell_obj.name, dbu)
    taps = (cs_region("@diffusion@") & cs_region("@nplus@")).overlapping(region)
    names = $cs_levels.flatten.compact - ["@poly@"]
    stack = [region, taps] + names.collect { |n| cs_region(n) }
    stack.each_with_index do |layer, i|
      l2n.register(layer, "level#{i}")
      l2n.connect(layer)
      l2n.connect(stack[i - 1], layer) if i > 0
    end
    l2n.extract_netlist
    pairs.each do |pair|
      nets = [pair.first, pair.second].collect { |e| l2n.probe_net(region, e.p1) }
      same = nets[0] && nets[1] && nets[0].cluster_id == nets[1].cluster_id
      result.insert(pair) if !same
    end
  end
  cs_wrap(result)
end

# Conductors that break an antenna ratio once they and the cuts on them are made.
def cs_antenna(conductor, ratio, area, perimeter)
  layout, cell = source.layout, source.cell_obj
  level = $cs_levels.index { |names| names.include?(conductor) }
  l2n = RBA::LayoutToNetlist::new(RBA::RecursiveShapeIterator::new(layout, cell, []))
  make = lambda { |n| l2n.make_polygon_layer(layout.layer(*$cs_layers[n]), n) }
  poly, comp = make.call("@poly@"), make.call("@diffusion@")
  gate, diffusion = poly & comp, comp - poly
  l2n.register(gate, "gate")
  l2n.register(diffusion, "diffusion")
  l2n.connect(gate)
  l2n.connect(diffusion)
  l2n.connect(poly)
  l2n.connect(poly, gate)
  layers, below = {}, nil
  $cs_levels[0..level].each do |metal_name, cut_name|
    metal = metal_name == "@poly@" ? poly : make.call(metal_name)
    layers[metal_name] = metal
    l2n.connect(metal)
    l2n.connect(below, metal) if below
    if cut_name
      layers[cut_name] = below = make.call(cut_name)
      l2n.connect(below)
      l2n.connect(metal, below)
      l2n.connect(below, diffusion) if cut_name == "@contact@"
    end
  end
  l2n.extract_netlist
  charged = layers[conductor]
  found = l2n.antenna_check(gate, 1.0, 0.0, charged, area, perimeter, ratio, [])
  found.flatten
  result = RBA::Region::new
  found.each_merged do |polygon|
    net = l2n.probe_net(charged, polygon.point_hull(0))
    parts = [charged, gate, diffusion]
    safe = net && cs_credited(l2n, net, parts, ratio, area, perimeter)
    result.insert(polygon) if !safe
  end
  cs_wrap(result)
end

# Connected active area takes charge away, too.
def cs_credited(l2n, net, parts, ratio, area, perimeter)
  dbu = source.layout.dbu
  charged, gate, diffusion = parts.collect { |l| l2n.shapes_of_net(net, l, true) }
  charge = charged.area * dbu * dbu * area + charged.perimeter * dbu * perimeter
  collector = (gate.area + $cs_diode_factor * diffusion.area) * dbu * dbu
  charge <= ratio * collector
end

# Layer and datatype of each layer's fill, which counts for its density.
$cs_fill = {@fill@}

def cs_die
  cs_wrap(RBA::Region::new(source.cell_obj.bbox))
end

# The cell's outline if a layer covers too little (sign 1) or too much (sign -1) of it.
def cs_density(name, limit, sign)
  outline = source.cell_obj.bbox
  area = cs_region(name).area
  area += cs_pair($cs_fill[name]).area if $cs_fill[name]
  percent = 100.0 * area / [outline.area, 1].max
  cs_wrap(sign * (percent - limit) < 0 ? RBA::Region::new(outline) : RBA::Region::new)
end
"""

TAIL = """\
if $count
  File.open($count, "w") { |f| $cs_ran.each { |name, n| f.puts("#{name} #{n}") } }
end
"""


def helpers(tech: Tech) -> str:
    """Return the Ruby functions of a deck, which name a few layers of the process."""
    text = HELPERS
    for role in ("diffusion", "nplus", "poly", "contact"):
        text = text.replace(f"@{role}@", tech.roles.layer(role))
    pairs = (f'"{name}" => [{a}, {b}]' for name, (a, b) in sorted(tech.fill_of.items()))
    return text.replace("@fill@", ", ".join(pairs))
