import torch
from torch import nn

from valuefield.agents.adam import Adam


def weights(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((3, 2), (2,))]


def test_steps_as_torch_does():
    ours, theirs = weights(), weights()
    adam, reference = Adam(ours, lr=0.01), torch.optim.Adam(theirs, lr=0.01)
    for number in range(20):
        gradients = [each.detach() for each in weights(number)]
        adam.step(gradients)
        for parameter, gradient in zip(theirs, gradients, strict=True):
            parameter.grad = gradient.clone()
        reference.step()
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(ours, theirs, strict=True))


def test_a_gradient_that_lies_otherwise_in_memory_than_its_parameter_is_the_same_gradient():
    weight = torch.randn((4, 3, 2, 2), generator=torch.Generator().manual_seed(0))
    ours, theirs = (nn.Parameter(weight.clone()) for _ in range(2))
    turned = weight.sin().to(memory_format=torch.channels_last)  # as of a convolution of images (H, W, C)
    assert turned.stride() != ours.stride()
    Adam([ours], lr=0.01).step([turned])
    Adam([theirs], lr=0.01).step([turned.contiguous()])
    assert torch.equal(ours, theirs)


def test_goes_on_from_a_state():
    gradients = [each.detach() for each in weights(7)]
    first, second = weights(), weights()
    one, two = Adam(first, lr=0.1), Adam(second, lr=0.1)
    one.step(gradients)
    two.load_state_dict(one.state_dict())
    for parameter, other in zip(second, first, strict=True):
        parameter.data.copy_(other)
    for adam in (one, two):
        adam.step(gradients)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
