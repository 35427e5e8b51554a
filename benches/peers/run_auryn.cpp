// The workload in Auryn: run_auryn.py compiles this with the library that the user names, and runs it.
//
//     run_auryn FOLDER     # reads arrays from `workload`, writes pairs of step and neuron to `spikes`
//
// Prints version, wall of the simulation loop and wall of building in s, and peak memory in MB.
// run_auryn.py says how the network is told.

#include <auryn/NeuronGroup.h>
#include <auryn/STDPConnection.h>
#include <auryn/SparseConnection.h>
#include <auryn/SpikingGroup.h>
#include <auryn/System.h>
#include <auryn/auryn_global.h>

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace auryn;

// Another array of the file: how many values, then the values.
template <typename T> std::vector<T> array(std::istream &file) {
  std::int64_t size = 0;
  file.read(reinterpret_cast<char *>(&size), sizeof size);
  std::vector<T> values(size);
  file.read(reinterpret_cast<char *>(values.data()), size * sizeof(T));
  if (!file) throw std::runtime_error("the workload ends too soon");
  return values;
}

struct Synapses {
  std::vector<std::uint32_t> pre, post;
  std::vector<float> weight;

  explicit Synapses(std::istream &file)
      : pre(array<std::uint32_t>(file)), post(array<std::uint32_t>(file)),
        weight(array<float>(file)) {}

  void fill(SparseConnection &connection) const {
    for (std::size_t k = 0; k < pre.size(); ++k)
      connection.push_back(pre[k], post[k], weight[k]);
    connection.w->fill_zeros();
    connection.finalize();
  }
};

void connect(SpikingGroup *source, NeuronGroup *target, const Synapses &synapses) {
  auto *connection = new SparseConnection(source, target, MEM);
  connection->allocate_manually(synapses.pre.size());
  synapses.fill(*connection);
}

// Input channels: the events of each step.
class Channels : public SpikingGroup {
  std::vector<std::int64_t> first;
  std::vector<std::uint32_t> channel;

public:
  Channels(NeuronID n, std::istream &file)
      : SpikingGroup(n), first(array<std::int64_t>(file)), channel(array<std::uint32_t>(file)) {
    sys->register_spiking_group(this);
    delay->set_delay(0);
  }

  void evolve() override {
    const std::size_t step = sys->get_clock();
    if (step + 1 >= first.size()) return;
    for (std::int64_t k = first[step]; k < first[step + 1]; ++k) push_spike(channel[k]);
  }
};

// Neurons with a threshold, a decay and a refractory period each.
class Neurons : public NeuronGroup {
  AurynStateVector *decay;
  std::vector<std::int32_t> blocked, left;

public:
  std::vector<std::uint32_t> spiked;

  Neurons(NeuronID n, std::istream &file) : NeuronGroup(n), left(n) {
    sys->register_spiking_group(this);
    delay->set_delay(0);
    decay = get_state_vector("decay");
    const auto decays = array<float>(file), thresholds = array<float>(file);
    for (NeuronID i = 0; i < n; ++i) {
      decay->set(i, decays[i]);
      thr->set(i, thresholds[i]);
    }
    blocked = array<std::int32_t>(file);
    spiked.reserve(1 << 22);
  }

  void clear() override {}

  // What arrives in a refractory period is lost; who has reached threshold by what arrived in the
  // last step spikes; then all relax.
  void evolve() override {
    float *v = mem->data;
    const float *threshold = thr->data;
    std::int32_t *steps = left.data();
    const NeuronID n = get_rank_size();
    for (NeuronID i = 0; i < n; ++i) {
      v[i] = steps[i] > 0 ? 0.0f : v[i];
      steps[i] -= steps[i] > 0;
    }
    for (NeuronID i = 0; i < n; ++i) {
      if (v[i] < threshold[i]) continue;
      v[i] = 0.0f;
      steps[i] = blocked[i];
      push_spike(i);
      spiked.push_back(sys->get_clock() - 1);
      spiked.push_back(i);
    }
    mem->mul(decay);
  }
};

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int main(int argc, char *argv[]) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  std::ifstream file(folder + "/workload", std::ios::binary);
  const auto sizes = array<std::int64_t>(file);  // channels, neurons, steps, whether it learns
  const auto rule = array<double>(file);  // step, tau_plus and tau_minus in s, a_plus, a_minus, w_max
  auryn_timestep = rule[0];
  auryn_init(argc, argv, folder);
  logger->set_console_loglevel(ERROR);
  sys->quiet = true;

  auto start = std::chrono::steady_clock::now();
  auto *channels = new Channels(sizes[0], file);
  auto *neurons = new Neurons(sizes[1], file);
  connect(channels, neurons, Synapses(file));
  connect(neurons, neurons, Synapses(file));
  if (sizes[3]) {
    const Synapses synapses(file);
    // No constructor makes an empty connection with a rule, but one so sparse has no synapse.
    auto *learning = new STDPConnection(
        neurons, neurons, 0.0f, 1e-12f, 1.0f, rule[1], rule[2], rule[5], MEM);
    learning->A = -rule[4];
    learning->B = rule[3];
    learning->w->resize_buffer_and_clear(synapses.pre.size());
    synapses.fill(*learning);
  }
  const double building = since(start);

  start = std::chrono::steady_clock::now();
  // The spikes of the last step are found in one step more; the half is for rounding.
  const bool is_done = sys->run((sizes[2] + 1.5) * rule[0], false);
  const double wall = since(start);

  std::ofstream out(folder + "/spikes", std::ios::binary);
  out.write(reinterpret_cast<const char *>(neurons->spiked.data()),
            neurons->spiked.size() * sizeof(std::uint32_t));
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  std::cout << sys->build.get_version_string() << ' ' << wall << ' ' << building << ' '
            << used.ru_maxrss / 1024.0 << std::endl;
  auryn_free();
  return is_done && out ? 0 : 1;
}
